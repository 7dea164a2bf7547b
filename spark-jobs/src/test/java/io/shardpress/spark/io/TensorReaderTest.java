package io.shardpress.spark.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.Dtype;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorReaderTest {
  private final Configuration configuration = new Configuration();

  @TempDir Path temporary;

  @Test
  void givesTheSamplesBytesAndValues() {
    Map<String, SampleFiles.Tensor> wanted = SampleFiles.tensors();
    Random random = new Random(3);
    long total = 0;
    try (TensorReader reader = new TensorReader(configuration)) {
      for (TensorRef tensor :
          Checkpoint.open(SampleFiles.FOLDER.toString(), configuration).tensors()) {
        byte[] bytes = wanted.get(tensor.tensor()).bytes();
        float[] values = wanted.get(tensor.tensor()).bf16();
        assertThat(reader.readBytes(tensor)).isEqualTo(bytes);
        assertThat(reader.readFloats(tensor)).isEqualTo(values);
        int start = random.nextInt((int) tensor.rows());
        int count = random.nextInt((int) tensor.rows() - start + 1);
        int columns = values.length / (int) tensor.rows();
        assertThat(reader.readFloats(tensor, start, count))
            .isEqualTo(Arrays.copyOfRange(values, start * columns, (start + count) * columns));
        assertThat(reader.readBytes(tensor, start, count))
            .isEqualTo(
                Arrays.copyOfRange(bytes, 2 * start * columns, 2 * (start + count) * columns));
        TensorReader.requireFinite(tensor, 0, values);
        total += 2L * bytes.length + 4L * count * columns;
      }
      assertThat(reader.bytesRead()).isEqualTo(total);
    }
  }

  /** Hadoop leaves such a file beside what is copied to a local disk with it. */
  @Test
  void holdsLocalFilesAgainstCrcFilesBesideThem() throws IOException {
    byte[] bytes = new byte[4 * (RangedFile.CHUNK_BYTES / 4 + 1000)];
    new Random(2).nextBytes(bytes);
    TensorRef tensor = write(bytes, Dtype.F32, List.of(bytes.length / 4L), 0);
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(tensor.file());
    Path file = Path.of(tensor.file());
    Files.delete(file);
    try (OutputStream out = path.getFileSystem(configuration).create(path)) {
      out.write(bytes);
    }
    assertThat(file.resolveSibling("." + file.getFileName() + ".crc")).exists();
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThat(reader.readBytes(tensor)).isEqualTo(bytes);
    }
    bytes[bytes.length - 7] ^= 1;
    Files.write(file, bytes);
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThatThrownBy(() -> reader.readBytes(tensor))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining(file.getFileName().toString())
          .hasMessageContaining("Checksum error");
    }
  }

  @Test
  void readsBeyondOneChunk() throws IOException {
    int elements = RangedFile.CHUNK_BYTES / 4 * 2 + 5;
    byte[] file = new byte[3 + 4 * elements];
    new Random(1).nextBytes(file);
    TensorRef tensor = write(file, Dtype.F32, List.of((long) elements), 3);
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThat(reader.readBytes(tensor)).isEqualTo(Arrays.copyOfRange(file, 3, file.length));
      float[] values = reader.readFloats(tensor);
      for (int i : new int[] {0, elements / 2 - 3, elements / 2 - 2, elements - 1}) {
        int at = 3 + 4 * i;
        int bits = 0;
        for (int b = 3; b >= 0; b--) {
          bits = (bits << 8) | (file[at + b] & 0xff);
        }
        assertThat(Float.floatToRawIntBits(values[i])).isEqualTo(bits);
      }
    }
  }

  @Test
  void namesTheFirstValueThatIsNotFinite() throws IOException {
    Path folder = SampleFiles.copy(temporary);
    String shard = SampleFiles.SHARDS.get(1);
    SampleFiles.Tensor down = SampleFiles.tensors().get("model.layers.4.mlp.down_proj.weight");
    // Row 7, column 11 of [256, 512]; bfloat16 infinity, little-endian.
    long at = down.position() + 2 * (7 * 512 + 11);
    SampleFiles.poke(folder.resolve(shard), at, (byte) 0x80, (byte) 0xff);
    TensorRef tensor =
        Checkpoint.open(folder.toString(), configuration).find(down.name()).orElseThrow();
    try (TensorReader reader = new TensorReader(configuration)) {
      float[] values = reader.readFloats(tensor, 5, 10);
      assertThatThrownBy(() -> TensorReader.requireFinite(tensor, 5, values))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContainingAll(
              shard, down.name(), "found -Infinity at [7, 11]", "file offset " + at, "BF16");
    }
  }

  @Test
  void rejectsOtherDtypesWrongRowsAndFilesThatShrank() throws IOException {
    TensorRef bytes = write(new byte[12], Dtype.U8, List.of(3L, 4L), 0);
    TensorRef floats = write(new byte[12], Dtype.F32, List.of(3L, 4L), 0);
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThatThrownBy(() -> reader.readFloats(bytes))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("found dtype U8, wanted F32, F16 or BF16");
      assertThatThrownBy(() -> reader.readBytes(bytes, 2, 2))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("has 3 rows, wanted 2 from 2 on");
      assertThatThrownBy(() -> reader.readFloats(floats, 1, 2))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("ends inside the 32 bytes wanted at offset 16");
    }
    Files.delete(Path.of(bytes.file()));
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThatThrownBy(() -> reader.readBytes(bytes))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("no such file");
    }
  }

  private TensorRef write(byte[] file, Dtype dtype, List<Long> shape, long position)
      throws IOException {
    Path path = Files.write(temporary.resolve(dtype + ".data"), file);
    long length = shape.stream().reduce(1L, (a, b) -> a * b) * dtype.bits() / 8;
    return new TensorRef("t", dtype, shape, path.toString(), position, length, dtype + ".data");
  }
}
