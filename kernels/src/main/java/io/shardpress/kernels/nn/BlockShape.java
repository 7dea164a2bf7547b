package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.BlockTraits;
import io.shardpress.schemas.model.BlockWidths;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import java.io.Serializable;
import java.util.List;

/**
 * The sizes and switches of a decoder block.
 *
 * @param hidden width of the residual stream
 * @param ffn width of the feed-forward that all tokens go through; of a mixture of experts that of
 *     each, or of the shared one if that is wider
 * @param heads query heads
 * @param kvHeads key and value heads; divides heads
 * @param headDim elements of a head
 * @param epsilon added to the mean square in norms
 * @param rotation of queries and keys
 * @param slidingWindow positions that a query sees, itself included; 0 for all before it
 * @param traits how the family's blocks differ from Llama's
 * @param mixture null where the block has one feed-forward
 */
public record BlockShape(
    int hidden,
    int ffn,
    int heads,
    int kvHeads,
    int headDim,
    double epsilon,
    RotaryEmbedding rotation,
    int slidingWindow,
    BlockTraits traits,
    MixtureShape mixture)
    implements BlockWidths, Serializable {
  /** A block as Llama's, every element of its heads rotated. */
  public BlockShape(
      int hidden,
      int ffn,
      int heads,
      int kvHeads,
      int headDim,
      double epsilon,
      double[] inverseFrequencies,
      int slidingWindow) {
    this(
        hidden,
        ffn,
        heads,
        kvHeads,
        headDim,
        epsilon,
        new Rotation(inverseFrequencies),
        slidingWindow,
        BlockTraits.plain(headDim),
        null);
  }

  /** The sizes that config.json gives for a block. */
  public static BlockShape of(ModelConfig config, int block) {
    MixtureShape mixture = config.sparse(block) ? MixtureShape.of(config.experts()) : null;
    return new BlockShape(
        config.hiddenSize(),
        mixture == null ? config.intermediateSize() : mixture.widest(),
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        config.rmsNormEps(),
        RopeFrequencies.of(config, block),
        config.windows().get(block),
        config.traits(),
        mixture);
  }

  /** An expert as a feed-forward of its own. */
  BlockShape ofExpert(int expert) {
    BlockTraits plain =
        new BlockTraits(
            false, false, false, traits.activation(), traits.queryScalar(), 0, 0, false);
    return new BlockShape(
        hidden, mixture.width(expert), heads, kvHeads, headDim, epsilon, rotation, 0, plain, null);
  }

  @Override
  public int queryWidth() {
    return heads * headDim;
  }

  @Override
  public int keyWidth() {
    return kvHeads * headDim;
  }

  /** Its linears, in the order of their arithmetic. */
  public List<LinearRole> linears() {
    return mixture == null
        ? traits.fused() ? LinearRole.FUSED : LinearRole.SEPARATE
        : mixture.linears();
  }

  /** The linears of a stage in the order in which they are solved; of all experts. */
  public List<LinearRole> linears(Stage stage) {
    return linears().stream().filter(role -> Stage.of(role) == stage).toList();
  }

  /** Width of what the linears of a stage read. */
  public int in(Stage stage) {
    return switch (stage) {
      case QKV, GATE_UP -> hidden;
      case O -> queryWidth();
      case DOWN -> ffn;
    };
  }

  /** Rows of a linear's weight. */
  public int out(LinearRole role) {
    return role.out(this);
  }

  /** Columns of a linear's weight. */
  public int in(LinearRole role) {
    return role.in(this);
  }

  @Override
  public int feedForward(int expert) {
    return mixture == null ? ffn : mixture.width(expert);
  }

  /** Columns of q, k and v, side by side in a fused output. */
  int[] qkvWidths() {
    return new int[] {queryWidth(), keyWidth(), keyWidth()};
  }

  /** Columns of gate and up, likewise. */
  int[] gateUpWidths() {
    return new int[] {ffn(), ffn()};
  }
}
