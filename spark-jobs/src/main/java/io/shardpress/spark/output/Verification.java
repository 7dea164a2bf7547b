package io.shardpress.spark.output;

import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.schemas.output.TreeHash;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.StorageFault;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * Holds a finished checkpoint's files against its manifest.
 *
 * @param treeHash of the manifest
 * @param problems what is wrong, a line each; empty if nothing is
 */
public record Verification(String treeHash, List<String> problems) {
  private static final int CHUNK_BYTES = 4 << 20;

  /** Reads every file once, several at a time. */
  public static Verification of(String output, Configuration configuration) {
    OutputFolder folder = new OutputFolder(output, configuration);
    Manifest manifest = folder.manifest();
    List<String> problems =
        manifest.files().parallelStream()
            .map(file -> problem(folder.uri(), file, configuration))
            .filter(problem -> !problem.isEmpty())
            .collect(Collectors.toCollection(java.util.ArrayList::new));
    String hash = TreeHash.of(manifest.files());
    if (!hash.equals(manifest.treeHash())) {
      problems.add(
          "%s: found tree hash %s, its files give %s"
              .formatted(Manifest.FILE_NAME, manifest.treeHash(), hash));
    }
    problems.addAll(strangers(folder.uri(), manifest, configuration));
    return new Verification(hash, problems);
  }

  private static String problem(String folder, PublishedFile file, Configuration configuration) {
    Path path = new Path(folder, file.path());
    try (InputStream in = FileSystems.of(path, configuration).open(path);
        HashingStream hash = new HashingStream(OutputStream.nullOutputStream())) {
      byte[] chunk = new byte[CHUNK_BYTES];
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        hash.write(chunk, 0, count);
      }
      if (hash.bytes() != file.size()) {
        return String.format(
            Locale.ROOT, "%s: found %d bytes, wanted %d", file.path(), hash.bytes(), file.size());
      }
      String sha = HexFormat.of().formatHex(hash.sha256());
      return sha.equals(file.sha256())
          ? ""
          : "%s: found SHA-256 %s, wanted %s".formatted(file.path(), sha, file.sha256());
    } catch (FileNotFoundException e) {
      return file.path() + ": found no such file, wanted " + file.size() + " bytes";
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot read", e);
    }
  }

  /** Files that readers would take for part of the checkpoint, but that it does not account for. */
  private static List<String> strangers(
      String folder, Manifest manifest, Configuration configuration) {
    Set<String> known =
        manifest.files().stream().map(PublishedFile::path).collect(Collectors.toSet());
    Set<String> strangers = new TreeSet<>();
    try {
      Path root = new Path(folder);
      FileSystem fileSystem = FileSystems.of(root, configuration);
      String prefix = fileSystem.makeQualified(root).toUri().getPath();
      RemoteIterator<LocatedFileStatus> files = fileSystem.listFiles(root, true);
      while (files.hasNext()) {
        String name = files.next().getPath().toUri().getPath().substring(prefix.length());
        name = name.startsWith("/") ? name.substring(1) : name;
        if (TreeHash.covers(name) && !known.contains(name)) {
          strangers.add(name + ": not in the manifest");
        }
      }
    } catch (IOException e) {
      throw StorageFault.of(folder, "cannot list", e);
    }
    return List.copyOf(strangers);
  }
}
