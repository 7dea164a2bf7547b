package io.shardpress.spark.io;

import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Writes safetensors files, good ones and whatever headers a test wants. */
public final class SafetensorsWriter {
  private SafetensorsWriter() {}

  /** Tensors one after the other. */
  public static void write(Path file, List<Tensor> tensors) throws IOException {
    List<String> entries = new ArrayList<>();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (Tensor tensor : tensors) {
      int begin = data.size();
      data.write(tensor.bytes());
      entries.add(entry(tensor.name(), tensor.dtype(), tensor.shape(), begin, data.size()));
    }
    write(file, "{" + String.join(",", entries) + "}", data.toByteArray());
  }

  /** An entry of a header. */
  public static String entry(String name, String dtype, List<Long> shape, long begin, long end) {
    return String.format(
        Locale.ROOT,
        "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
        name,
        dtype,
        shape,
        begin,
        end);
  }

  /** Any header before any data. */
  public static void write(Path file, String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer length =
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, json.length);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write(length.array());
    all.write(json);
    all.write(data);
    Files.write(file, all.toByteArray());
  }
}
