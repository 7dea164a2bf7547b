package io.shardpress.kernels.reference;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.schemas.safetensors.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** All tensors of safetensors files as f32; integers become the floats of their values. */
public final class TensorFile {
  private final Map<String, float[]> tensors = new HashMap<>();

  private TensorFile() {}

  /** Reads the files into one set of names. */
  public static TensorFile of(Path... files) {
    TensorFile all = new TensorFile();
    for (Path file : files) {
      try {
        all.add(file.toString(), Files.readAllBytes(file));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return all;
  }

  /** The elements, row-major. */
  public float[] get(String name) {
    float[] values = tensors.get(name);
    if (values == null) {
      throw new IllegalArgumentException(
          "no tensor " + name + ", there are " + tensors.keySet().stream().sorted().toList());
    }
    return values;
  }

  private void add(String file, byte[] bytes) {
    int start = SafetensorsHeader.PREFIX_BYTES;
    int length = SafetensorsHeader.headerLength(file, bytes.length, Arrays.copyOf(bytes, start));
    byte[] json = Arrays.copyOfRange(bytes, start, start + length);
    SafetensorsHeader header = SafetensorsHeader.parse(file, bytes.length, json);
    for (TensorInfo tensor : header.tensors()) {
      int at = Math.toIntExact(header.dataStart() + tensor.begin());
      float[] values = new float[Math.toIntExact(tensor.elements())];
      if (tensor.dtype() == Dtype.I32) {
        ByteBuffer ints = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < values.length; i++) {
          values[i] = ints.getInt(at + 4 * i);
        }
      } else {
        FloatBytes.decode(tensor.dtype(), bytes, at, values, 0, values.length);
      }
      tensors.put(tensor.name(), values);
    }
  }
}
