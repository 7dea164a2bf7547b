package io.shardpress.spark.block;

import io.shardpress.kernels.nn.MixtureWeights;
import java.util.function.IntFunction;

/**
 * A mixture of which experts are made when they are asked for.
 *
 * @param router [experts × hidden]
 * @param sharedGate [hidden]; null without one
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares two of them
public record LazyExperts(
    float[] router, float[] sharedGate, IntFunction<MixtureWeights.Expert> experts)
    implements MixtureWeights {
  @Override
  public Expert expert(int number) {
    return experts.apply(number);
  }
}
