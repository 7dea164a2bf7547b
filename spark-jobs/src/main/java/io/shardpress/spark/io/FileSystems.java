package io.shardpress.spark.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsConstants;
import org.apache.hadoop.fs.FutureDataInputStreamBuilder;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Options.OpenFileOptions;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.functional.FutureIO;

/** File systems as Shardpress uses them. */
public final class FileSystems {
  private FileSystems() {}

  /** The file system of a path; for local ones, {@link Bare}. */
  public static FileSystem of(Path path, Configuration configuration) {
    try {
      FileSystem fileSystem = path.getFileSystem(configuration);
      return fileSystem instanceof LocalFileSystem ? Bare.INSTANCE : fileSystem;
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": no such file system: " + e.getMessage(), e);
    }
  }

  /**
   * The file system for reading a file that others wrote; a local one with a .crc file of Hadoop's
   * beside it is held against that, which opens it anew for every read.
   */
  static FileSystem forReading(Path path, Configuration configuration) throws IOException {
    FileSystem fileSystem = path.getFileSystem(configuration);
    boolean bare =
        fileSystem instanceof LocalFileSystem local
            && !Bare.INSTANCE.exists(local.getChecksumFile(path));
    return bare ? Bare.INSTANCE : fileSystem;
  }

  /**
   * Opens a file of which ranges are wanted: an object store is asked for these and nothing beyond.
   *
   * @param status saves a request where it is known; may be null
   */
  public static FSDataInputStream openForRanges(FileSystem fileSystem, Path path, FileStatus status)
      throws IOException {
    FutureDataInputStreamBuilder builder =
        fileSystem
            .openFile(path)
            .opt(
                OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_RANDOM);
    return FutureIO.awaitFuture(
        status == null ? builder.build() : builder.withFileStatus(status).build());
  }

  /**
   * Local files without Hadoop's .crc files beside them, and without the process that it starts for
   * every new file to set permissions: the umask has done so.
   */
  private static final class Bare extends RawLocalFileSystem {
    static final FileSystem INSTANCE = make();

    private static FileSystem make() {
      Bare bare = new Bare();
      try {
        bare.initialize(FsConstants.LOCAL_FS_URI, new Configuration(false));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return bare;
    }

    @Override
    public void setPermission(Path path, FsPermission permission) {}
  }
}
