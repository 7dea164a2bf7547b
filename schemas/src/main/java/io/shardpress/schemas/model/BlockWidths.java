package io.shardpress.schemas.model;

/** The widths of a decoder block that decide the shapes of its linears. */
public interface BlockWidths {
  /** Width of the residual stream. */
  int hidden();

  /** Width of the concatenated query heads. */
  int queryWidth();

  /** Width of the concatenated key or value heads. */
  int keyWidth();

  /**
   * Width inside the feed-forward.
   *
   * @param expert as {@link LinearRole#expert} has it
   */
  int feedForward(int expert);

  /** Those of a model's blocks. */
  static BlockWidths of(ModelConfig config) {
    return new BlockWidths() {
      @Override
      public int hidden() {
        return config.hiddenSize();
      }

      @Override
      public int queryWidth() {
        return Math.multiplyExact(config.heads(), config.headDim());
      }

      @Override
      public int keyWidth() {
        return Math.multiplyExact(config.kvHeads(), config.headDim());
      }

      @Override
      public int feedForward(int expert) {
        return switch (expert) {
          case LinearRole.NONE -> config.intermediateSize();
          case LinearRole.SHARED -> config.experts().sharedIntermediateSize();
          default -> config.experts().intermediateSize();
        };
      }
    };
  }
}
