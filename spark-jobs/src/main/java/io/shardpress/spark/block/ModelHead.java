package io.shardpress.spark.block;

import io.shardpress.kernels.nn.HeadGradient;
import io.shardpress.kernels.nn.HeadRows;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;

/**
 * What comes behind a model's last block.
 *
 * @param norm the final norm, [hidden]
 * @param projection lm_head, or the embedding where config.json ties them: [vocabulary × hidden]
 * @param normFromOne whether the norm multiplies by 1 + what is stored
 * @param epsilon of the norm
 * @param cap logits x become cap·tanh(x/cap); 0 for none
 */
public record ModelHead(
    TensorRef norm, TensorRef projection, boolean normFromOne, double epsilon, double cap)
    implements Serializable {
  /** That of a checkpoint whose tensors agree with its config. */
  public static ModelHead of(Checkpoint checkpoint, ModelConfig config) {
    DecoderNames names = DecoderNames.of(checkpoint.shapes().keySet(), config);
    String projection = config.tieWordEmbeddings() ? names.embed() : names.lmHead();
    return new ModelHead(
        checkpoint.find(names.finalNorm()).orElseThrow(),
        checkpoint.find(projection).orElseThrow(),
        config.traits().normsFromOne(),
        config.rmsNormEps(),
        config.traits().logitCap());
  }

  /** The norm's weight as it multiplies, [hidden]. */
  public float[] readNorm(TaskEnvironment environment) {
    float[] weight = environment.reader().readFloats(norm);
    if (normFromOne) {
      BlockPart.addOne(weight);
    }
    return weight;
  }

  /** Rows of the projection, read as they are asked for. */
  public HeadRows rows(TaskEnvironment environment) {
    return (first, count) -> environment.reader().readFloats(projection, first, count);
  }

  /** Losses and their gradients behind the last block. */
  public HeadGradient gradient(TaskEnvironment environment) {
    return new HeadGradient(
        Math.toIntExact(projection.columns()),
        Math.toIntExact(projection.rows()),
        cap,
        epsilon,
        environment.matmul());
  }
}
