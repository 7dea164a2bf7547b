package io.shardpress.spark.store;

import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.HeaderReader;
import io.shardpress.spark.io.StorageFault;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.io.WholeFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * Weights in the part store as a safetensors file, HEX.safetensors beside the parts: so that they
 * are read like a model's own, by reference and range.
 */
public final class StoredShard {
  private static final int CHUNK_BYTES = 4 << 20;

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
   * Writes the shard, which is there whole or not at all.
   *
   * @param tensors as {@link SafetensorsHeader#write} wants them
   * @return the checksum that {@link #check} wants
   */
  public static String write(
      PartStore store, PartKey key, List<TensorSpec> tensors, Content content) {
    Path target = path(store, key);
    CRC32C crc = new CRC32C();
    try (WholeFile file = store.create(target)) {
      // Not closed, since that would make an object of half a file.
      OutputStream out = new CheckedOutputStream(file.out(), crc);
      out.write(SafetensorsHeader.write(tensors, Map.of()));
      for (TensorSpec tensor : tensors) {
        byte[] bytes = content.of(tensor.name());
        if (bytes.length != tensor.bytes()) {
          throw new IllegalStateException(
              String.format(
                  Locale.ROOT,
                  "tensor %s has %d bytes, wanted %d",
                  tensor.name(),
                  bytes.length,
                  tensor.bytes()));
        }
        out.write(bytes);
      }
      file.commit();
      return text(crc);
    } catch (IOException e) {
      throw StorageFault.of(target.toString(), "cannot write", e);
    }
  }

  /**
   * Reads the whole shard.
   *
   * @throws PartException where it is gone, or its checksum is another
   */
  public static void check(PartStore store, PartKey key, String wanted) {
    Path path = path(store, key);
    CRC32C crc = new CRC32C();
    byte[] chunk = new byte[CHUNK_BYTES];
    try (InputStream in = store.fileSystem(path).open(path)) {
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        crc.update(chunk, 0, count);
        store.traffic().read(count);
        store.traffic().checkpoint();
      }
    } catch (FileNotFoundException e) {
      throw new PartException(key, path + ": found no such file beside its part", e);
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot read", e);
    }
    if (!text(crc).equals(wanted)) {
      throw new PartException(
          key, path + ": found checksum " + text(crc) + ", wanted " + wanted, null);
    }
  }

  /**
   * The tensors of a shard, by name: references into it, whose content is the part's name, as that
   * stands for all that they follow from.
   *
   * @throws RuntimeException where it cannot be read, naming the file
   */
  public static Map<String, TensorRef> tensors(
      PartStore store, PartKey key, Configuration configuration) {
    Path path = path(store, key);
    Map<String, TensorRef> tensors = new HashMap<>();
    try {
      CheckpointFile file =
          CheckpointFile.of(path.getFileSystem(configuration).getFileStatus(path));
      HeaderReader.read(file, configuration)
          .forEach(tensor -> tensors.put(tensor.tensor(), tensor.withContent(key.hex())));
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot read", e);
    }
    return tensors;
  }

  static void delete(PartStore store, PartKey key) {
    Path path = path(store, key);
    try {
      store.fileSystem(path).delete(path, false);
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot delete", e);
    }
  }

  private static String text(CRC32C crc) {
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  private static Path path(PartStore store, PartKey key) {
    return new Path(store.path(key).getParent(), key.hex() + ".safetensors");
  }
}
