package io.shardpress.spark.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A file is there whole or not at all, on each kind of file system. */
@ExtendWith(Servers.class)
class WholeFileTest {
  @TempDir static java.nio.file.Path shared;

  private static S3Server s3;
  private static Configuration configuration;
  private static List<Path> folders;

  @BeforeAll
  static void start(HdfsCluster hdfs, S3Server server) {
    s3 = server;
    s3.proxy().reset(Faults.NONE);
    s3.bucket("whole");
    configuration = s3.configuration();
    configuration.setInt("fs.s3a.multipart.size", 5 << 20);
    folders =
        List.of(
            new Path(shared.toUri()), new Path(hdfs.uri() + "/whole"), new Path("s3a://whole/f"));
  }

  private static FileSystem fileSystem(Path path) {
    return FileSystems.of(path, configuration);
  }

  private static String text(Path file) throws IOException {
    try (FSDataInputStream in = fileSystem(file).open(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static WholeFile begin(Path target, String text) throws IOException {
    WholeFile file = WholeFile.create(fileSystem(target), target, target.getParent());
    file.out().write(text.getBytes(StandardCharsets.UTF_8));
    return file;
  }

  private static List<String> names(Path folder) throws IOException {
    List<String> names = new ArrayList<>();
    if (fileSystem(folder).exists(folder)) {
      for (var status : fileSystem(folder).listStatus(folder)) {
        names.add(status.getPath().getName());
      }
    }
    return names;
  }

  @Test
  void notThereBeforeItIsCommittedAndNothingLeftIfItIsNot() throws IOException {
    for (Path folder : folders) {
      Path target = new Path(folder, "a/file");
      try (WholeFile file = begin(target, "half")) {
        assertThat(fileSystem(target).exists(target)).as("%s", target).isFalse();
        assertThat(file.out()).isNotNull();
      }
      assertThat(names(target.getParent())).as("%s", target).isEmpty();
      try (WholeFile file = begin(target, "whole")) {
        file.commit();
      }
      assertThat(text(target)).isEqualTo("whole");
      assertThat(names(target.getParent())).as("%s", target).containsExactly("file");
    }
  }

  @Test
  void aTwinsFileStandsUnlessItIsReplaced() throws IOException {
    for (Path folder : folders) {
      Path target = new Path(folder, "b/file");
      try (WholeFile slow = begin(target, "slow");
          WholeFile fast = begin(target, "fast")) {
        fast.commit();
        boolean local = folder.toUri().getScheme().equals("file");
        slow.commit();
        // Local renames replace; twins write the same bytes in any case.
        assertThat(text(target)).as("%s", target).isEqualTo(local ? "slow" : "fast");
      }
      try (WholeFile next = begin(target, "next")) {
        next.replace();
      }
      assertThat(text(target)).isEqualTo("next");
      assertThat(names(target.getParent())).as("%s", target).containsExactly("file");
    }
  }

  @Test
  void anUploadInPartsThatIsNotCommittedIsEnded() throws IOException {
    Path target = new Path("s3a://whole/f/c/file");
    s3.proxy().reset(Faults.NONE);
    try (WholeFile file = begin(target, "x".repeat(12 << 20))) {
      assertThat(file.path()).isEqualTo(target);
    }
    assertThat(fileSystem(target).exists(target)).isFalse();
    assertThat(s3.proxy().requests())
        .anyMatch(
            request -> request.method().equals("DELETE") && request.target().contains("uploadId="));
  }
}
