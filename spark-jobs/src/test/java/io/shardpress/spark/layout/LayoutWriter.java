package io.shardpress.spark.layout;

import io.shardpress.spark.io.SafetensorsWriter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Writes a checkpoint's folder: config.json, index and shards of about equal size. What fills the
 * shards behind their headers is up to {@link Filling}; without one the files are sparse, as long
 * as their headers say and nearly without blocks on the disk.
 */
final class LayoutWriter {
  /** Writes the data of a shard, which lies behind the header. */
  interface Filling {
    void fill(RandomAccessFile file, List<TensorSpecs.Spec> tensors) throws IOException;
  }

  /** Nothing is written: reading gives zeros. */
  static final Filling SPARSE = (file, tensors) -> {};

  private final Path folder;
  private final Filling filling;

  LayoutWriter(Path folder, Filling filling) {
    this.folder = folder;
    this.filling = filling;
  }

  /** Writes all of it; the tensors of a shard follow each other without a hole. */
  void write(List<TensorSpecs.Spec> tensors, String config, int shards) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), config);
    long total = tensors.stream().mapToLong(TensorSpecs.Spec::bytes).sum();
    List<List<TensorSpecs.Spec>> byShard = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      byShard.add(new ArrayList<>());
    }
    long before = 0;
    for (TensorSpecs.Spec tensor : tensors) {
      byShard.get((int) (before / ((total + shards - 1) / shards))).add(tensor);
      before += tensor.bytes();
    }
    List<String> map = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      String name = String.format(Locale.ROOT, "model-%05d-of-%06d.safetensors", i + 1, shards);
      shard(folder.resolve(name), byShard.get(i));
      byShard.get(i).forEach(tensor -> map.add("\"%s\": \"%s\"".formatted(tensor.name(), name)));
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        String.format(
            Locale.ROOT,
            "{\"metadata\": {\"total_size\": %d},\n\"weight_map\": {\n%s}}\n",
            total,
            String.join(",\n", map)));
  }

  private void shard(Path path, List<TensorSpecs.Spec> tensors) throws IOException {
    List<String> entries = new ArrayList<>();
    long at = 0;
    for (TensorSpecs.Spec tensor : tensors) {
      long end = at + tensor.bytes();
      entries.add(SafetensorsWriter.entry(tensor.name(), tensor.dtype(), tensor.shape(), at, end));
      at = end;
    }
    String header = "{\"__metadata__\":{\"format\":\"pt\"}," + String.join(",", entries) + "}";
    header += " ".repeat(Math.floorMod(-header.length(), 8));
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
      file.write(json);
      filling.fill(file, tensors);
      file.setLength(8 + json.length + at);
    }
  }
}
