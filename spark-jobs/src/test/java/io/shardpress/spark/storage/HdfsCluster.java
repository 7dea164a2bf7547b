package io.shardpress.spark.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** A real HDFS in this JVM: a name node and a data node. */
final class HdfsCluster implements AutoCloseable {
  private final Path folder;
  private final MiniDFSCluster cluster;

  private HdfsCluster(Path folder, MiniDFSCluster cluster) {
    this.folder = folder;
    this.cluster = cluster;
  }

  static HdfsCluster start() {
    try {
      Path folder = Files.createTempDirectory("hdfs");
      MiniDFSCluster cluster =
          new MiniDFSCluster.Builder(new Configuration(), folder.toFile()).numDataNodes(1).build();
      cluster.waitActive();
      return new HdfsCluster(folder, cluster);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String uri() {
    return "hdfs://127.0.0.1:" + cluster.getNameNodePort();
  }

  /** A client of the tests' own: one that is shared would keep its settings from others. */
  DistributedFileSystem fileSystem() throws IOException {
    return (DistributedFileSystem) cluster.getNewFileSystemInstance(0);
  }

  @Override
  public void close() {
    cluster.shutdown();
    FileUtil.fullyDelete(folder.toFile());
  }
}
