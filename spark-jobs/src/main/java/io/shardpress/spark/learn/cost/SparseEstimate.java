package io.shardpress.spark.learn.cost;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.learn.blockwise.ExpertStep;
import io.shardpress.spark.sweep.ExpertMomentsStep;
import java.util.List;

/**
 * {@link Estimate} for a model whose last block has a mixture of experts, as if all had: experts
 * are learned one by one, so that no task holds them all.
 */
final class SparseEstimate {
  private final ModelConfig config;
  private final Modifier modifier;
  private final BlockShape shape;
  private final double window;
  private final double tokens;

  SparseEstimate(ModelConfig config, Modifier modifier, int windows, int window) {
    this.config = config;
    this.modifier = modifier;
    this.shape = BlockShape.of(config, config.layers() - 1);
    this.window = window;
    this.tokens = (double) windows * window;
  }

  Estimate estimate() {
    Linears attention = new Linears(0, 0, 0, 0);
    Linears experts = new Linears(0, 0, 0, 0);
    Linears largest = new Linears(0, 0, 0, 0);
    for (LinearRole role : shape.linears()) {
      Linears one = linear(role);
      if (role.expert() == LinearRole.NONE) {
        attention = attention.plus(one);
      } else {
        experts = experts.plus(one.times(share(role)));
      }
    }
    for (int expert : shape.mixture().numbers()) {
      Linears sum = new Linears(0, 0, 0, 0);
      for (LinearRole role : LinearRole.ofExpert(expert)) {
        sum = sum.plus(linear(role));
      }
      largest = sum.weights() > largest.weights() ? sum : largest;
    }
    double scores = 2.0 * window * shape.queryWidth();
    double forward = tokens * (2 * attention.weights() + 2 * experts.weights() + scores);
    double statistics = statistics();
    double solving = attention.solving() + allExperts(Linears::solving);
    double wide = Math.max(shape.hidden(), shape.queryWidth());
    double rows = Math.max(window, Batches.MIXTURE_TOKENS);
    double widest = Math.max(wide, shape.ffn());
    // Attention and one expert in both chains, and a batch.
    double elements =
        2 * attention.weights() + 2 * largest.weights() + rows * (12 * wide + 3 * shape.ffn());
    elements =
        Math.max(elements, ExpertMomentsStep.largest(shape) + rows * (6 * wide + 4 * widest));
    elements = Math.max(elements, 5 * widest * widest);
    double flops = 3 * forward + statistics + solving;
    if (modifier.learnsByBlocks()) {
      BlockwiseSettings course = BlockwiseSettings.of(modifier);
      int steps = course.iterations() + course.touchUp() + course.scaleIterations();
      double batch = course.batchSize() * window;
      double learning = batch * (2 * attention.weights() + scores);
      learning += batch * 2 * experts.weights();
      double low = attention.low() + allExperts(Linears::low);
      flops = (modifier.solvesByGptq() ? flops : forward) + 2 * forward;
      flops += steps * (3 * learning + 6 * low);
      double memory = 5 * attention.weights() + 5 * attention.parameters() + 24 * batch * wide;
      double pool = 2.0 * ExpertStep.mostTokens(shape) * shape.hidden();
      memory =
          Math.max(
              memory,
              5 * largest.weights() + 5 * largest.parameters() + pool + 24 * batch * widest);
      elements = Math.max(elements, memory);
    }
    return new Estimate(flops * config.layers(), (long) (elements * Float.BYTES));
  }

  /** Moments, factors and their inverses, of attention and of each expert over its tokens. */
  private double statistics() {
    double sum = 0;
    for (double in : List.of((double) shape.hidden(), (double) shape.queryWidth())) {
      sum += 3 * tokens * in * in + 4 * in * in * in;
    }
    for (int expert : shape.mixture().numbers()) {
      double share = share(LinearRole.ofExpert(expert).get(0));
      for (double in : List.of((double) shape.hidden(), (double) shape.mixture().width(expert))) {
        sum += 3 * share * tokens * in * in + 4 * in * in * in;
      }
    }
    return sum;
  }

  private double allExperts(java.util.function.ToDoubleFunction<Linears> of) {
    double sum = 0;
    for (LinearRole role : shape.linears()) {
      sum += role.expert() == LinearRole.NONE ? 0 : of.applyAsDouble(linear(role));
    }
    return sum;
  }

  /** The part of all tokens that goes through a linear's expert, on average. */
  private double share(LinearRole role) {
    return role.expert() == LinearRole.SHARED
        ? 1
        : (double) shape.mixture().perToken() / shape.mixture().experts();
  }

  /**
   * Some linears.
   *
   * @param solving flops of what GPTQ does with each
   * @param parameters of a learner
   * @param low flops of a product with matrices of low rank
   */
  private record Linears(double weights, double solving, double parameters, double low) {
    Linears plus(Linears other) {
      return new Linears(
          weights + other.weights,
          solving + other.solving,
          parameters + other.parameters,
          low + other.low);
    }

    Linears times(double share) {
      return new Linears(weights * share, solving * share, parameters * share, low * share);
    }
  }

  private Linears linear(LinearRole role) {
    int out = shape.out(role);
    int in = shape.in(role);
    double rank = modifier.kind() == ModifierKind.LRQ ? LrqSettings.of(modifier).rank(out, in) : 0;
    double parameters = rank > 0 ? rank * (out + in) : (double) out * in;
    return new Linears((double) out * in, 3.0 * out * in * in, parameters, rank * out * in);
  }
}
