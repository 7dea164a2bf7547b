package io.shardpress.spark.foreign;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Folders as other tools write them, of random integers, packed field by field by the formats'
 * definitions, with the weights that they stand for.
 */
@SuppressWarnings("OperatorPrecedence")
public final class QuantizedFolders {
  private static final JsonMapper JSON = new JsonMapper();

  private final Random random = new Random(11);
  private final List<Tensor> tensors = new ArrayList<>();

  /** The dense weights by name. */
  private final Map<String, float[]> weights = new TreeMap<>();

  /** Adds a tensor. */
  public void add(String name, String dtype, List<Long> shape, byte[] bytes) {
    tensors.add(new Tensor(name, dtype, shape, "", 0, bytes));
  }

  /** Adds a tensor of another file. */
  public void add(Tensor tensor) {
    tensors.add(tensor);
  }

  List<Tensor> tensors() {
    return tensors;
  }

  /** What the folder's weights are, by name, row after row. */
  public Map<String, float[]> weights() {
    return weights;
  }

  /** Writes the folder with what is said of the packing. */
  public Path write(Path folder, String config, String quantization) throws IOException {
    Files.createDirectories(folder);
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors);
    ObjectNode json = (ObjectNode) JSON.readTree(config);
    if (!quantization.isEmpty()) {
      json.set("quantization_config", JSON.readTree(quantization));
    }
    Files.writeString(folder.resolve("config.json"), json.toPrettyString());
    return folder;
  }

  /**
   * Adds a linear as GPTQ packs it.
   *
   * @param shuffled whether inputs have groups out of order (desc_act)
   * @param lessOne whether zero points are stored less one
   */
  public void gptq(
      String module, int out, int in, int bits, int groups, boolean shuffled, boolean lessOne) {
    int[] group = new int[in];
    for (int i = 0; i < in; i++) {
      group[i] = i / (in / groups);
    }
    if (shuffled) {
      for (int i = in - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swap = group[i];
        group[i] = group[j];
        group[j] = swap;
      }
    }
    int[] qweight = new int[in * bits / 32 * out];
    int[] qzeros = new int[groups * ((out * bits + 31) / 32)];
    int zeroWords = (out * bits + 31) / 32;
    short[] scales = scales(groups * out);
    int[][] zero = new int[groups][out];
    for (int g = 0; g < groups; g++) {
      for (int o = 0; o < out; o++) {
        zero[g][o] = (lessOne ? 1 : 0) + random.nextInt((1 << bits) - 1);
        int stored = zero[g][o] - (lessOne ? 1 : 0);
        for (int b = 0; b < bits; b++) {
          int bit = o * bits + b;
          qzeros[g * zeroWords + bit / 32] |= (stored >> b & 1) << bit % 32;
        }
      }
    }
    float[] w = new float[out * in];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        int q = random.nextInt(1 << bits);
        for (int b = 0; b < bits; b++) {
          int bit = i * bits + b;
          qweight[bit / 32 * out + o] |= (q >> b & 1) << bit % 32;
        }
        w[o * in + i] = half(scales[group[i] * out + o]) * (q - zero[group[i]][o]);
      }
    }
    add(module + ".qweight", "I32", List.of((long) in * bits / 32, (long) out), bytes(qweight));
    add(module + ".qzeros", "I32", List.of((long) groups, (long) zeroWords), bytes(qzeros));
    add(module + ".scales", "F16", List.of((long) groups, (long) out), bytes(scales));
    add(module + ".g_idx", "I32", List.of((long) in), bytes(group));
    weights.put(module + ".weight", w);
  }

  /**
   * Adds a linear as AWQ's gemm version packs it: nibble i of a word is column 8c+[0,2,4,6,1,…].
   */
  public void awq(String module, int out, int in, int groups) {
    int[] order = {0, 2, 4, 6, 1, 3, 5, 7};
    int[] qweight = new int[in * out / 8];
    int[] qzeros = new int[groups * out / 8];
    short[] scales = scales(groups * out);
    int[][] zero = new int[groups][out];
    int[][] q = new int[in][out];
    for (int[] row : zero) {
      Arrays.setAll(row, o -> random.nextInt(16));
    }
    for (int[] row : q) {
      Arrays.setAll(row, o -> random.nextInt(16));
    }
    for (int c = 0; c < out / 8; c++) {
      for (int nibble = 0; nibble < 8; nibble++) {
        int column = 8 * c + order[nibble];
        for (int i = 0; i < in; i++) {
          qweight[i * out / 8 + c] |= q[i][column] << 4 * nibble;
        }
        for (int g = 0; g < groups; g++) {
          qzeros[g * out / 8 + c] |= zero[g][column] << 4 * nibble;
        }
      }
    }
    float[] w = new float[out * in];
    for (int i = 0; i < in; i++) {
      int g = i * groups / in;
      for (int o = 0; o < out; o++) {
        w[o * in + i] = half(scales[g * out + o]) * (q[i][o] - zero[g][o]);
      }
    }
    add(module + ".qweight", "I32", List.of((long) in, out / 8L), bytes(qweight));
    add(module + ".qzeros", "I32", List.of((long) groups, out / 8L), bytes(qzeros));
    add(module + ".scales", "F16", List.of((long) groups, (long) out), bytes(scales));
    weights.put(module + ".weight", w);
  }

  /**
   * Adds a weight in FP8 with an F32 scale for each block, cropped at the edges.
   *
   * @param suffix of the scales' name behind the weight's
   */
  public void fp8(
      String module, int out, int in, int down, int across, String suffix, List<Long> scaleShape) {
    int blocksAcross = (in + across - 1) / across;
    float[] scales = new float[(out + down - 1) / down * blocksAcross];
    ByteBuffer scaleBytes = ByteBuffer.allocate(4 * scales.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (0.5f + random.nextFloat()) / 4096;
      scaleBytes.putFloat(scales[i]);
    }
    byte[] codes = new byte[out * in];
    float[] w = new float[out * in];
    for (int row = 0; row < out; row++) {
      for (int column = 0; column < in; column++) {
        int code = random.nextInt(256);
        // 0x7F and 0xFF are no numbers.
        codes[row * in + column] = (byte) ((code & 0x7F) == 0x7F ? code - 1 : code);
        float scale = scales[row / down * blocksAcross + column / across];
        w[row * in + column] = e4m3(codes[row * in + column]) * scale;
      }
    }
    add(module + ".weight", "F8_E4M3", List.of((long) out, (long) in), codes);
    add(module + ".weight" + suffix, "F32", scaleShape, scaleBytes.array());
    weights.put(module + ".weight", w);
  }

  /** Adds experts in MXFP4; the dense model has them as [experts, in, out]. */
  public void mxfp4(String name, int experts, int out, int in) {
    float[] values = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    byte[] blocks = new byte[experts * out * in / 2];
    byte[] scales = new byte[experts * out * in / 32];
    float[] w = new float[experts * out * in];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (byte) (110 + random.nextInt(20));
    }
    for (int e = 0; e < experts; e++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          int code = random.nextInt(16);
          int place = (e * out + o) * in + i;
          blocks[place / 2] |= (byte) (code << (i % 2 == 0 ? 0 : 4));
          double scale = Math.pow(2, (scales[place / 32] & 0xFF) - 127);
          double value = (code < 8 ? 1 : -1) * values[code % 8] * scale;
          w[(e * in + i) * out + o] = (float) value;
        }
      }
    }
    List<Long> runs = List.of((long) experts, (long) out, in / 32L);
    List<Long> shape = new ArrayList<>(runs);
    shape.add(16L);
    add(name + "_blocks", "U8", shape, blocks);
    add(name + "_scales", "U8", runs, scales);
    weights.put(name, w);
  }

  /** By the definition: sign, 4 bits of exponent with bias 7, 3 of mantissa. */
  static float e4m3(byte code) {
    int exponent = code >> 3 & 15;
    int mantissa = code & 7;
    double magnitude =
        exponent == 0 ? mantissa * Math.pow(2, -9) : (8 + mantissa) * Math.pow(2, exponent - 10);
    return (float) (code < 0 ? -magnitude : magnitude);
  }

  private short[] scales(int count) {
    short[] scales = new short[count];
    for (int i = 0; i < count; i++) {
      // Normal binary16 numbers from 2⁻⁹ to 2⁻⁷.
      scales[i] = (short) (6 << 10 | random.nextInt(1 << 11));
    }
    return scales;
  }

  /** A normal, positive binary16. */
  private static float half(short bits) {
    return (float) ((1024 + (bits & 1023)) * Math.pow(2, (bits >> 10) - 25));
  }

  private static byte[] bytes(int[] words) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(words);
    return bytes.array();
  }

  private static byte[] bytes(short[] halves) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * halves.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asShortBuffer().put(halves);
    return bytes.array();
  }
}
