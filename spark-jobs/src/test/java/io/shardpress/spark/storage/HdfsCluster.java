package io.shardpress.spark.storage;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** A real HDFS in this JVM: a name node and data nodes. */
final class HdfsCluster implements AutoCloseable {
  private final Path folder;
  private final MiniDFSCluster cluster;

  private HdfsCluster(Path folder, MiniDFSCluster cluster) {
    this.folder = folder;
    this.cluster = cluster;
  }

  static HdfsCluster start() {
    return start(new Configuration());
  }

  /**
   * One with a data node on each of some hosts, as it tells of them: all of them are this machine.
   */
  static HdfsCluster start(Configuration configuration, String... hosts) {
    try {
      Path folder = Files.createTempDirectory("hdfs");
      MiniDFSCluster.Builder builder =
          new MiniDFSCluster.Builder(configuration, folder.toFile())
              .numDataNodes(Math.max(1, hosts.length));
      if (hosts.length > 0) {
        builder.hosts(hosts);
      }
      MiniDFSCluster cluster = builder.build();
      cluster.waitActive();
      return new HdfsCluster(folder, cluster);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a file whose only replica lies on the data node of that number. */
  void write(String path, byte[] bytes, int dataNode) throws IOException {
    try (DistributedFileSystem files = fileSystem();
        OutputStream out =
            files.create(
                new org.apache.hadoop.fs.Path(path),
                FsPermission.getFileDefault(),
                true,
                4096,
                (short) 1,
                files.getDefaultBlockSize(),
                null,
                new InetSocketAddress[] {cluster.getDataNodes().get(dataNode).getXferAddress()})) {
      out.write(bytes);
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
