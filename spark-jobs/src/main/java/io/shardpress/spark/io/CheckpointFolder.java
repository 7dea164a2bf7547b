package io.shardpress.spark.io;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.json.StrictJson;
import io.shardpress.schemas.model.ModelConfig;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/** The plain files of a folder, or a single file by itself. */
final class CheckpointFolder {
  static final String CONFIG = "config.json";

  /** Index and config files are some MB at most; more is something else. */
  private static final long MAX_JSON_BYTES = 256L << 20;

  private final String uri;
  private final Configuration configuration;
  private final FileSystem fileSystem;
  private final boolean isFile;
  private final SortedMap<String, CheckpointFile> files = new TreeMap<>();

  CheckpointFolder(String modelUri, Configuration configuration) {
    this.configuration = configuration;
    Locations.refuseUnusable(modelUri);
    try {
      Path path = new Path(modelUri);
      this.fileSystem = path.getFileSystem(configuration);
      Path qualified = fileSystem.makeQualified(path);
      this.uri = qualified.toString();
      for (FileStatus status : fileSystem.listStatus(qualified)) {
        if (status.isFile()) {
          files.put(status.getPath().getName(), CheckpointFile.of(status));
        }
      }
      this.isFile =
          files.size() == 1 && files.containsKey(qualified.getName()) && isFile(qualified);
    } catch (FileNotFoundException e) {
      throw new CheckpointException(
          modelUri
              + (StorageFault.denied(e)
                  ? ": " + StorageFault.reason(e)
                  : ": no such folder; wanted one with *.safetensors and config.json"
                      + Locations.hint(modelUri)),
          e);
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(modelUri + ": not a URI of a folder: " + e.getMessage(), e);
    } catch (IOException e) {
      throw StorageFault.of(modelUri, "cannot list", e);
    }
  }

  private boolean isFile(Path path) throws IOException {
    return fileSystem.getFileStatus(path).isFile();
  }

  /** Whether it is a file by itself, not a folder. */
  boolean isFile() {
    return isFile;
  }

  /** A file by its name, also one that the listing does not show yet. */
  Optional<CheckpointFile> find(String name) {
    CheckpointFile listed = files.get(name);
    if (listed != null || isFile || fileSystem instanceof LocalFileSystem) {
      return Optional.ofNullable(listed);
    }
    Path path = new Path(uri, name);
    try {
      FileStatus status = fileSystem.getFileStatus(path);
      if (!status.isFile()) {
        return Optional.empty();
      }
      CheckpointFile late = CheckpointFile.of(status);
      files.put(name, late);
      return Optional.of(late);
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot look up", e);
    }
  }

  /** config.json as far as it can be read; who needs it whole is told what is wrong with it. */
  Optional<ObjectNode> config() {
    try {
      return find(CONFIG).map(file -> StrictJson.object(file.uri(), json(file)));
    } catch (CheckpointException e) {
      return Optional.empty();
    }
  }

  /** Whether config.json ties lm_head to the embedding. */
  boolean ties() {
    try {
      return find(CONFIG)
          .map(file -> ModelConfig.parse(file.uri(), json(file)).tieWordEmbeddings())
          .orElse(false);
    } catch (CheckpointException e) {
      return false;
    }
  }

  /**
   * Whether models do without a tensor of that name: lm_head where it is tied, and the frequencies
   * of rotary embeddings, which follow from config.json.
   */
  boolean doesWithout(String tensor) {
    return tensor.endsWith("rotary_emb.inv_freq") || (tensor.endsWith("lm_head.weight") && ties());
  }

  String uri() {
    return uri;
  }

  Configuration configuration() {
    return configuration;
  }

  Map<String, CheckpointFile> files() {
    return files;
  }

  /** A whole small file. */
  byte[] json(CheckpointFile file) {
    if (file.length() > MAX_JSON_BYTES) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found %d bytes, wanted at most %d of JSON",
              file.uri(),
              file.length(),
              MAX_JSON_BYTES));
    }
    byte[] bytes = new byte[(int) file.length()];
    try (RangedFile in = RangedFile.open(file.uri(), configuration)) {
      in.read(0, bytes, 0, bytes.length);
    }
    return bytes;
  }
}
