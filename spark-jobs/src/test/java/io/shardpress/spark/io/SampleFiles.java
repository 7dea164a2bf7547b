package io.shardpress.spark.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The trained sample, copies of it to damage, and its tensors read without the code under test. */
public final class SampleFiles {
  /** The sample's folder in the repository. */
  public static final Path FOLDER = Path.of("../samples/sample-llama").toAbsolutePath().normalize();

  /** Its shards. */
  public static final List<String> SHARDS =
      List.of("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");

  private SampleFiles() {}

  /** A tensor as this class read it; nobody compares two of them. */
  @SuppressWarnings("ArrayRecordComponent")
  public record Tensor(
      String name, String dtype, List<Long> shape, String shard, long position, byte[] bytes) {
    /** The values, by the definition of bfloat16. */
    public float[] bf16() {
      ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      float[] values = new float[bytes.length / 2];
      for (int i = 0; i < values.length; i++) {
        values[i] = Float.intBitsToFloat(buffer.getShort(2 * i) << 16);
      }
      return values;
    }

    /** The values as 32-bit integers. */
    public IntBuffer ints() {
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
    }
  }

  /** All tensors of the sample by name. */
  public static Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new TreeMap<>();
    SHARDS.forEach(shard -> read(FOLDER, shard).forEach(t -> tensors.put(t.name(), t)));
    return tensors;
  }

  /** The tensors of one shard, in the order of its header's text. */
  public static List<Tensor> read(Path folder, String shard) {
    try {
      byte[] file = Files.readAllBytes(folder.resolve(shard));
      ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
      int length = (int) buffer.getLong(0);
      JsonNode header = new JsonMapper().readTree(file, 8, length);
      List<Tensor> tensors = new ArrayList<>();
      for (Map.Entry<String, JsonNode> entry : header.properties()) {
        if (!entry.getKey().equals("__metadata__")) {
          JsonNode node = entry.getValue();
          List<Long> shape = new ArrayList<>();
          node.get("shape").forEach(side -> shape.add(side.asLong()));
          int begin = 8 + length + node.get("data_offsets").get(0).asInt();
          int end = 8 + length + node.get("data_offsets").get(1).asInt();
          byte[] bytes = Arrays.copyOfRange(file, begin, end);
          tensors.add(
              new Tensor(entry.getKey(), node.get("dtype").asText(), shape, shard, begin, bytes));
        }
      }
      return tensors;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Copies the sample's weights, index and config. */
  public static Path copy(Path into) throws IOException {
    Files.createDirectories(into);
    try (Stream<Path> files = Files.list(FOLDER)) {
      for (Path file :
          files
              .filter(f -> f.toString().matches(".*(safetensors|/config.json|index.json)"))
              .toList()) {
        Files.copy(file, into.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return into;
  }

  /** Overwrites bytes of a file. */
  public static void poke(Path file, long position, byte... bytes) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.seek(position);
      out.write(bytes);
    }
  }

  /** Shortens a file. */
  public static void truncate(Path file, long length) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(length);
    }
  }

  /** Replaces text in a file. */
  public static void replace(Path file, String found, String with) throws IOException {
    Files.writeString(file, Files.readString(file).replace(found, with));
  }
}
