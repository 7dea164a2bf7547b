package io.shardpress.spark.block;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.MixtureWeights;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** What a block has beside linears and their biases. */
public enum BlockPart {
  /** Before attention, [hidden]. */
  INPUT_NORM,
  /** Before the feed-forward, [hidden]. */
  POST_NORM,
  /** Of each query head, [headDim]. */
  QUERY_NORM,
  /** Of each key head, [headDim]. */
  KEY_NORM,
  /** Of what attention gives, [hidden]. */
  ATTENTION_OUTPUT_NORM,
  /** Of what the feed-forward gives, [hidden]. */
  FEED_FORWARD_OUTPUT_NORM,
  /** Of a mixture of experts, [experts × hidden]. */
  ROUTER,
  /** Of the expert that all tokens go through, [1 × hidden]. */
  SHARED_GATE;

  /** Those of a block, in the order in which they are read. */
  public static List<BlockPart> of(ModelConfig config, int block) {
    List<BlockPart> parts = new ArrayList<>(List.of(INPUT_NORM, POST_NORM));
    if (config.qkNorm()) {
      parts.addAll(List.of(QUERY_NORM, KEY_NORM));
    }
    if (config.traits().outputNorms()) {
      parts.addAll(List.of(ATTENTION_OUTPUT_NORM, FEED_FORWARD_OUTPUT_NORM));
    }
    if (config.sparse(block)) {
      parts.add(ROUTER);
      if (config.experts().shared()) {
        parts.add(SHARED_GATE);
      }
    }
    return parts;
  }

  /** The tensor's name. */
  public String name(DecoderNames names, int block) {
    return switch (this) {
      case INPUT_NORM -> names.inputNorm(block);
      case POST_NORM -> names.postNorm(block);
      case QUERY_NORM -> names.qNorm(block);
      case KEY_NORM -> names.kNorm(block);
      case ATTENTION_OUTPUT_NORM -> names.attentionOutputNorm(block);
      case FEED_FORWARD_OUTPUT_NORM -> names.mlpOutputNorm(block);
      case ROUTER -> names.router(block);
      case SHARED_GATE -> names.sharedGate(block);
    };
  }

  /** The sides of the tensor by config.json. */
  public List<Long> sides(ModelConfig config) {
    long hidden = config.hiddenSize();
    return switch (this) {
      case QUERY_NORM, KEY_NORM -> List.of((long) config.headDim());
      case ROUTER -> List.of((long) config.experts().count(), hidden);
      case SHARED_GATE -> List.of(1L, hidden);
      default -> List.of(hidden);
    };
  }

  /** Whether it is what a norm multiplies by, or that less one. */
  boolean norm() {
    return this != ROUTER && this != SHARED_GATE;
  }

  /**
   * A block's weights from what was read, which becomes theirs.
   *
   * @param stored as the files have it: of norms that multiply by 1 + w, w
   * @param experts makes those of a mixture when they are asked for
   */
  public static BlockWeights weights(
      BlockShape shape,
      Map<LinearRole, float[]> linears,
      Map<LinearRole, float[]> biases,
      Map<BlockPart, float[]> stored,
      IntFunction<MixtureWeights.Expert> experts) {
    if (shape.traits().normsFromOne()) {
      stored.forEach(
          (part, values) -> {
            if (part.norm()) {
              addOne(values);
            }
          });
    }
    return new BlockWeights(
        linears,
        biases,
        stored.get(INPUT_NORM),
        stored.get(POST_NORM),
        stored.get(QUERY_NORM),
        stored.get(KEY_NORM),
        shape.traits().outputNorms()
            ? new BlockWeights.OutputNorms(
                stored.get(ATTENTION_OUTPUT_NORM), stored.get(FEED_FORWARD_OUTPUT_NORM))
            : null,
        shape.mixture() == null
            ? null
            : new LazyExperts(stored.get(ROUTER), stored.get(SHARED_GATE), experts));
  }

  /** What a norm multiplies by from what is stored of one that multiplies by 1 + w, in place. */
  public static void addOne(float[] norm) {
    for (int i = 0; i < norm.length; i++) {
      norm[i] = 1 + norm[i];
    }
  }
}
