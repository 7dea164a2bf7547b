package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A finished checkpoint, read from the formats' definitions without the code under test. */
final class Published {
  private static final Map<String, Integer> WIDTHS =
      Map.of("I64", 8, "I32", 4, "F32", 4, "BF16", 2, "F16", 2, "I8", 1, "U8", 1, "F8_E4M3", 1);

  private final Path folder;
  private final JsonNode manifest;
  private final JsonNode config;
  private final Map<String, Tensor> tensors = new TreeMap<>();

  Published(Path folder) throws IOException {
    this.folder = folder;
    manifest = new JsonMapper().readTree(Files.readString(folder.resolve("shardpress.json")));
    Path json = folder.resolve("config.json");
    config = Files.exists(json) ? new JsonMapper().readTree(Files.readString(json)) : null;
    for (String file : files()) {
      if (file.endsWith(".safetensors")) {
        checkHeader(file);
        SampleFiles.read(folder, file).forEach(tensor -> tensors.put(tensor.name(), tensor));
      }
    }
  }

  Path folder() {
    return folder;
  }

  /** recipe.yaml. */
  String recipe() throws IOException {
    return Files.readString(folder.resolve("recipe.yaml"));
  }

  JsonNode manifest() {
    return manifest;
  }

  /** config.json; null beside GGUF alone. */
  JsonNode config() {
    return config;
  }

  Map<String, Tensor> tensors() {
    return tensors;
  }

  /** All files below the folder, hidden ones too, with / between names. */
  List<String> files() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toList();
    }
  }

  /** SHA-256 over path, size and SHA-256 of each file outside report/ and the manifest. */
  String treeHash() throws IOException {
    List<byte[]> lines = new ArrayList<>();
    for (String file : files()) {
      if (!file.equals("shardpress.json") && !file.startsWith("report/")) {
        Path path = folder.resolve(file);
        String line = file + "\t" + Files.size(path) + "\t" + sha256(Files.readAllBytes(path));
        lines.add((line + "\n").getBytes(StandardCharsets.UTF_8));
      }
    }
    // Of paths in ASCII, of which none is the beginning of another, lines sort as paths do.
    lines.sort(Comparator.comparing(line -> new String(line, StandardCharsets.US_ASCII)));
    ByteBuffer all = ByteBuffer.allocate(lines.stream().mapToInt(line -> line.length).sum());
    lines.forEach(all::put);
    return sha256(all.array());
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the safetensors format wants of a file, and the order that writers should keep. */
  private void checkHeader(String file) throws IOException {
    byte[] bytes = Files.readAllBytes(folder.resolve(file));
    long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    assertThat(length % 8).isZero();
    String text = new String(bytes, 8, (int) length, StandardCharsets.UTF_8);
    assertThat(text).startsWith("{");
    JsonNode header = new JsonMapper().readTree(text);
    assertThat(header.get("__metadata__").get("format").asText()).isEqualTo("pt");
    List<Tensor> inFile = new ArrayList<>(SampleFiles.read(folder, file));
    inFile.sort(Comparator.comparingLong(Tensor::position));
    long position = 8 + length;
    for (Tensor tensor : inFile) {
      assertThat(tensor.position()).as(tensor.name()).isEqualTo(position);
      long elements = tensor.shape().stream().reduce(1L, (a, b) -> a * b);
      assertThat((long) tensor.bytes().length).isEqualTo(elements * WIDTHS.get(tensor.dtype()));
      position += tensor.bytes().length;
    }
    assertThat(position).as("size of %s", file).isEqualTo(bytes.length);
    assertThat(inFile)
        .isSortedAccordingTo(
            Comparator.<Tensor>comparingInt(tensor -> -WIDTHS.get(tensor.dtype()))
                .thenComparing(Tensor::name));
  }

  /**
   * A weight as it is read back; nobody compares two of them.
   *
   * @param value (code − zero)·step
   * @param code the unsigned integer in the file
   */
  record Weight(float value, float step, int code) {}

  /** All weights of a module, row by row, from bit strings as compressed-tensors packs them. */
  Weight[] dequantize(String module, int bits, int out, int in) {
    byte[] packed = tensors.get(module + ".weight_packed").bytes();
    float[] scales = tensors.get(module + ".weight_scale").bf16();
    Tensor zeros = tensors.get(module + ".weight_zero_point");
    Tensor order = tensors.get(module + ".weight_g_idx");
    IntBuffer index = order == null ? null : order.ints();
    int rowBits = packed.length / out * 8;
    int groups = scales.length / out;
    Weight[] weights = new Weight[out * in];
    for (int row = 0; row < out; row++) {
      for (int column = 0; column < in; column++) {
        int group = index == null ? column / (in / groups) : index.get(column);
        int code = element(packed, (long) row * rowBits + (long) column * bits, bits);
        // Zero points are packed down the columns: word w of group g is at (w, g).
        int zero = zeros == null ? 1 << (bits - 1) : zero(zeros.bytes(), row, group, groups, bits);
        float step = scales[row * groups + group];
        weights[row * in + column] = new Weight((code - zero) * step, step, code);
      }
    }
    Tensor places = tensors.get(module + ".weight_outlier_indices");
    if (places != null) {
      float[] values = tensors.get(module + ".weight_outlier_values").bf16();
      for (int i = 0; i < values.length; i++) {
        Weight one = weights[places.ints().get(i)];
        float sum = one.value() + values[i];
        weights[places.ints().get(i)] = new Weight(sum, one.step(), one.code());
      }
    }
    return weights;
  }

  /**
   * Writes the model in full precision with the weights that the integers of this one stand for,
   * such that an evaluation of it against this one finds no difference.
   *
   * @param original for the files around the weights
   */
  Path writeDense(Path into, Path original, int bits) throws IOException {
    Files.createDirectories(into);
    List<Tensor> dense = new ArrayList<>();
    for (JsonNode entry : manifest.get("tensors")) {
      String name = entry.get("name").asText();
      if (entry.get("action").asText().equals("copy")) {
        dense.add(tensors.get(name));
        continue;
      }
      int out = entry.get("shape").get(0).asInt();
      int in = entry.get("shape").get(1).asInt();
      String module = name.substring(0, name.length() - ".weight".length());
      ByteBuffer bytes = ByteBuffer.allocate(4 * out * in).order(ByteOrder.LITTLE_ENDIAN);
      for (Weight weight : dequantize(module, bits, out, in)) {
        bytes.putFloat(weight.value());
      }
      dense.add(new Tensor(name, "F32", List.of((long) out, (long) in), "", 0, bytes.array()));
    }
    SafetensorsWriter.write(into.resolve("model.safetensors"), dense);
    for (String name : List.of("config.json", "tokenizer.json")) {
      Files.copy(original.resolve(name), into.resolve(name));
    }
    return into;
  }

  private static int zero(byte[] packed, int row, int group, int groups, int bits) {
    int value = 0;
    for (int i = 0; i < bits; i++) {
      int bit = row * bits + i;
      int word = bit / 32 * groups + group;
      value |= (packed[word * 4 + bit % 32 / 8] >> (bit % 8) & 1) << i;
    }
    return value;
  }

  /** Bits [at, at + bits) of a little-endian bit string. */
  private static int element(byte[] string, long at, int bits) {
    int value = 0;
    for (int i = 0; i < bits; i++) {
      long bit = at + i;
      value |= (string[(int) (bit / 8)] >> (int) (bit % 8) & 1) << i;
    }
    return value;
  }
}
