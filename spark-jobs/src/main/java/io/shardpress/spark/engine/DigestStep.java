package io.shardpress.spark.engine;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.FiniteBytes;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartWriter;
import java.io.Serializable;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * Takes SHA-256 of some tensors' bytes, and refuses numbers that are not finite before anything is
 * learned from them. The part has a row TENSOR (U8) for each.
 */
public record DigestStep(CheckpointFile file, List<FileTensor> tensors) implements Step {
  private static final StepKind KIND = new StepKind("digests", 1);

  public DigestStep {
    tensors = List.copyOf(tensors);
  }

  /**
   * A tensor of the file, by its place there.
   *
   * @param position of its first byte
   * @param length in bytes
   */
  public record FileTensor(String tensor, Dtype dtype, List<Long> shape, long position, long length)
      implements Serializable {
    public FileTensor {
      shape = List.copyOf(shape);
    }

    static FileTensor of(TensorRef ref) {
      return new FileTensor(ref.tensor(), ref.dtype(), ref.shape(), ref.position(), ref.length());
    }

    private TensorRef in(CheckpointFile file) {
      return new TensorRef(tensor, dtype, shape, file.uri(), position, length, file.name());
    }
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.tensors(tensors.stream().map(tensor -> tensor.in(file)).toList());
  }

  @Override
  public void run(TaskEnvironment environment) {
    try (PartWriter writer = environment.store().write(part())) {
      for (FileTensor one : tensors) {
        TensorRef tensor = one.in(file);
        byte[] sha = digest(tensor, environment.reader());
        writer.add(
            new PartRow(tensor.tensor(), Dtype.U8, List.of((long) sha.length), 0, sha.length, sha));
      }
      writer.commit();
    }
  }

  private static byte[] digest(TensorRef tensor, TensorReader reader) {
    MessageDigest sha = sha256();
    byte[] chunk = new byte[(int) Math.min(reader.chunkBytes(tensor), tensor.length())];
    for (long at = 0; at < tensor.length(); at += chunk.length) {
      int count = (int) Math.min(chunk.length, tensor.length() - at);
      reader.readBytes(tensor, at, chunk, 0, count);
      sha.update(chunk, 0, count);
      FiniteBytes.require(tensor, at, chunk, count);
    }
    return sha.digest();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
