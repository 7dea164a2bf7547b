package io.shardpress.spark.evaluate;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.schemas.model.BlockTraits;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.List;

/**
 * Where a whole model's weights lie; a descriptor that tasks are given.
 *
 * @param uri of its folder
 * @param traits of the family
 * @param embedding [vocabulary × hidden]
 * @param embeddingScale by which it is multiplied
 * @param head lm_head, [vocabulary × hidden]; the embedding where config.json ties them
 */
public record ModelSource(
    String uri,
    BlockTraits traits,
    TensorRef embedding,
    float embeddingScale,
    List<BlockSource> blocks,
    TensorRef finalNorm,
    WeightSource head)
    implements Serializable {
  /**
   * Finds a model's tensors and checks their dtypes and shapes, from headers alone.
   *
   * @throws io.shardpress.schemas.CheckpointException where the family has no block here, or a
   *     tensor is missing or not as config.json says
   */
  public static ModelSource of(Checkpoint checkpoint) {
    return new SourceFinder(checkpoint).find();
  }

  /** Whether keys and values are rounded on their way into the cache. */
  public boolean quantizesCache() {
    return blocks.stream()
        .anyMatch(block -> block.activations() != null && block.activations().cache() != null);
  }

  /**
   * The same with keys and values rounded as in LRQ's paper, each token by its own range before the
   * rotation, in place of what runtimes do, which is one stored scale after it.
   */
  public ModelSource withPublishedCache() {
    List<BlockSource> others = blocks.stream().map(BlockSource::withPublishedCache).toList();
    return new ModelSource(uri, traits, embedding, embeddingScale, others, finalNorm, head);
  }

  /** The first block's sizes; width and epsilon are those of all. */
  public BlockShape shape() {
    return blocks.get(0).shape();
  }

  /** Tokens of the vocabulary. */
  public int vocabulary() {
    return head.out();
  }
}
