package io.shardpress.spark.store;

import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.schemas.safetensors.TensorSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Weights in the part store as a safetensors file, HEX.safetensors beside the parts: so that they
 * are read like a model's own, by reference and range.
 */
public final class StoredShard {
  private StoredShard() {}

  /** Gives the bytes of a tensor. */
  @FunctionalInterface
  public interface Content {
    /** All bytes of the tensor of that name, little endian. */
    byte[] of(String tensor);
  }

  /** URI of the shard that belongs to a part. */
  public static String uri(PartStore store, PartKey key) {
    return path(store, key).toString();
  }

  /**
   * Writes the shard under a name of its own attempt and renames it.
   *
   * @param tensors as {@link SafetensorsHeader#write} wants them
   */
  public static void write(
      PartStore store, PartKey key, List<TensorSpec> tensors, Content content) {
    Path target = path(store, key);
    FileSystem fileSystem = store.fileSystem(target);
    Path attempt = new Path(target.getParent(), "." + key.hex() + "." + UUID.randomUUID());
    try {
      try (OutputStream out = fileSystem.create(attempt, true)) {
        out.write(SafetensorsHeader.write(tensors, Map.of()));
        for (TensorSpec tensor : tensors) {
          byte[] bytes = content.of(tensor.name());
          if (bytes.length != tensor.bytes()) {
            throw new IllegalStateException(
                "tensor %s has %d bytes, wanted %d"
                    .formatted(tensor.name(), bytes.length, tensor.bytes()));
          }
          out.write(bytes);
        }
      }
      // A twin that was faster has written the same bytes.
      if (!fileSystem.rename(attempt, target) && !fileSystem.exists(target)) {
        throw new IOException("rename to " + target + " failed");
      }
      fileSystem.delete(attempt, false);
    } catch (IOException e) {
      throw new UncheckedIOException(attempt + ": cannot write: " + e.getMessage(), e);
    }
  }

  private static Path path(PartStore store, PartKey key) {
    return new Path(store.path(key).getParent(), key.hex() + ".safetensors");
  }
}
