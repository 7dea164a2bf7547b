package io.shardpress.spark.foreign;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The tensors of a folder by name, held to the dtype and shape that they must have. */
public final class FolderTensors {
  private final Checkpoint checkpoint;

  public FolderTensors(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  /** The tensor of that name as it lies in its file, if there is one. */
  Optional<TensorRef> find(String name) {
    return checkpoint.findInFiles(name);
  }

  /** A tensor of F32, F16 or BF16. */
  public TensorRef floats(String name, long... sides) {
    return floats(name, shape(sides));
  }

  /** A tensor of F32, F16 or BF16. */
  public TensorRef floats(String name, List<Long> shape) {
    TensorRef tensor = shaped(name, shape);
    if (!FloatBytes.handles(tensor.dtype())) {
      throw bad(tensor, "found dtype " + tensor.dtype() + ", wanted F32, F16 or BF16");
    }
    return tensor;
  }

  /** A tensor of that dtype and shape. */
  public TensorRef typed(String name, Dtype dtype, List<Long> shape) {
    TensorRef tensor = shaped(name, shape);
    if (tensor.dtype() != dtype) {
      throw bad(tensor, "found dtype %s, wanted %s".formatted(tensor.dtype(), dtype));
    }
    return tensor;
  }

  /** A tensor of that dtype with so many sides, of whatever length. */
  TensorRef typed(String name, Dtype dtype, int sides) {
    TensorRef tensor =
        find(name).orElseThrow(() -> missing(name, "wanted one of " + sides + " sides"));
    if (tensor.shape().size() != sides) {
      throw bad(
          tensor,
          String.format(Locale.ROOT, "found shape %s, wanted %d sides", tensor.shape(), sides));
    }
    return typed(name, dtype, tensor.shape());
  }

  private TensorRef shaped(String name, List<Long> shape) {
    TensorRef tensor =
        find(name)
            .orElseThrow(() -> missing(name, "wanted one of shape " + shape + " by config.json"));
    if (!tensor.shape().equals(shape)) {
      throw bad(
          tensor, "found shape %s, wanted %s by config.json".formatted(tensor.shape(), shape));
    }
    return tensor;
  }

  CheckpointException missing(String name, String wanted) {
    return new CheckpointException(
        "%s: tensor %s: found no such tensor, %s".formatted(checkpoint.uri(), name, wanted));
  }

  static CheckpointException bad(TensorRef tensor, String what) {
    return new CheckpointException(
        "%s: tensor %s: %s".formatted(tensor.file(), tensor.tensor(), what));
  }

  private static List<Long> shape(long... sides) {
    return Arrays.stream(sides).boxed().toList();
  }
}
