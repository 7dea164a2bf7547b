package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.ActivationLoops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.quant.ActivationStep;
import java.io.Serializable;
import java.util.Map;

/** How the inputs of a block's linears are rounded to eight bits. */
public sealed interface InputQuantization extends Serializable {
  /**
   * Rounds what a stage's linears read.
   *
   * @param x [rows×width], not changed
   * @param quantized receives [rows×width]
   */
  void apply(Stage stage, int rows, int width, float[] x, float[] quantized, Workers workers);

  /**
   * Every token by the greatest magnitude it has when it comes (compressed-tensors' strategy token,
   * dynamic, symmetric); nothing is stored.
   */
  record PerToken(ActivationFormat format) implements InputQuantization {
    @Override
    public void apply(
        Stage stage, int rows, int width, float[] x, float[] quantized, Workers workers) {
      RowTiles.forEach(
          rows,
          workers,
          row -> {
            float[] range = new float[2];
            ActivationLoops.chosen().range(x, row * width, width, range);
            float absMax = Math.max(-range[0], range[1]);
            ActivationStep step = ActivationStep.symmetric(format, absMax);
            step.fakeQuantize(x, quantized, row * width, width);
          });
    }
  }

  /**
   * Every token by the integers from its least to its greatest element, zero among them
   * (compressed-tensors' strategy token, dynamic, asymmetric); nothing is stored.
   */
  record PerTokenAsymmetric() implements InputQuantization {
    @Override
    public void apply(
        Stage stage, int rows, int width, float[] x, float[] quantized, Workers workers) {
      RowTiles.forEach(
          rows,
          workers,
          row -> {
            float[] range = new float[2];
            ActivationLoops.chosen().range(x, row * width, width, range);
            ActivationStep.asymmetric(range[0], range[1])
                .fakeQuantize(x, quantized, row * width, width);
          });
    }
  }

  /**
   * Every run of a token's neighbours by the greatest magnitude it has when it comes
   * (compressed-tensors' strategy group, dynamic, symmetric); the last run may be shorter.
   *
   * @param length neighbours that share a step
   */
  record PerTokenGroup(ActivationFormat format, int length) implements InputQuantization {
    @Override
    public void apply(
        Stage stage, int rows, int width, float[] x, float[] quantized, Workers workers) {
      RowTiles.forEach(
          rows,
          workers,
          row -> {
            float[] range = new float[2];
            for (int from = 0; from < width; from += length) {
              int at = row * width + from;
              int count = Math.min(length, width - from);
              ActivationLoops.chosen().range(x, at, count, range);
              float absMax = Math.max(-range[0], range[1]);
              ActivationStep.symmetric(format, absMax).fakeQuantize(x, quantized, at, count);
            }
          });
    }
  }

  /**
   * A stage each in a way of its own: what runs two of them at once, as a mixture of experts does.
   *
   * @param stages the inputs of others stay as they are
   */
  record ByStage(Map<Stage, InputQuantization> stages) implements InputQuantization {
    public ByStage {
      stages = Map.copyOf(stages);
    }

    @Override
    public void apply(
        Stage stage, int rows, int width, float[] x, float[] quantized, Workers workers) {
      InputQuantization own = stages.get(stage);
      if (own == null) {
        System.arraycopy(x, 0, quantized, 0, rows * width);
      } else {
        own.apply(stage, rows, width, x, quantized, workers);
      }
    }
  }

  /**
   * All tokens by one step for each stage, from calibration (strategy tensor): q, k and v share
   * theirs, and so do gate and up, since runtimes fuse them.
   *
   * @param steps those of the stages; the inputs of others stay as they are
   */
  record PerTensor(Map<Stage, ActivationStep> steps) implements InputQuantization {
    public PerTensor {
      steps = Map.copyOf(steps);
    }

    @Override
    public void apply(
        Stage stage, int rows, int width, float[] x, float[] quantized, Workers workers) {
      ActivationStep step = steps.get(stage);
      if (step == null) {
        System.arraycopy(x, 0, quantized, 0, rows * width);
        return;
      }
      RowTiles.forEach(rows, workers, row -> step.fakeQuantize(x, quantized, row * width, width));
    }
  }
}
