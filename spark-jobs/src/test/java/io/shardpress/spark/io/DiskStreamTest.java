package io.shardpress.spark.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class DiskStreamTest {
  private static final byte[] MUCH = new byte[1 << 20];

  @TempDir Path folder;

  /** Linux has a file that is always full. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void fullDisksAreExceptions() throws IOException {
    org.apache.hadoop.fs.Path full = new org.apache.hadoop.fs.Path("/dev/full");
    FileSystem disk = raw();
    try (OutputStream bare = disk.create(full, true)) {
      assertThatThrownBy(
              () -> {
                bare.write(MUCH);
                bare.flush();
              })
          .isInstanceOf(FSError.class);
    } catch (FSError e) {
      // Closing it says so once more.
    }
    DiskStream out = new DiskStream(disk.create(full, true));
    assertThatThrownBy(
            () -> {
              out.write(MUCH);
              out.flush();
            })
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("No space left");
  }

  @Test
  void bytesAreThoseWritten() throws IOException {
    Path file = folder.resolve("file");
    try (DiskStream out =
        new DiskStream(raw().create(new org.apache.hadoop.fs.Path(file.toUri()), true))) {
      out.write(1);
      out.write(new byte[] {2, 3, 4, 5}, 1, 2);
    }
    assertThat(Files.readAllBytes(file)).containsExactly(1, 3, 4);
  }

  private static FileSystem raw() throws IOException {
    LocalFileSystem local = FileSystem.getLocal(new Configuration());
    return local.getRawFileSystem();
  }
}
