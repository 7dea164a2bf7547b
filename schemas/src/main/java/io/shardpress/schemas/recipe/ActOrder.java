package io.shardpress.schemas.recipe;

/**
 * The order in which GPTQ rounds a weight's columns, and what of it the checkpoint keeps:
 * compressed-tensors' actorder.
 */
public enum ActOrder {
  /** The columns' own. */
  NONE(null),
  /**
   * By falling diag(H), in groups of neighbouring columns, whose steps are chosen before: the file
   * is as without an order. Also "weight".
   */
  STATIC("static"),
  /**
   * By falling diag(H), in groups of neighbours in that order; the file needs weight_g_idx, the
   * group of each column. Also "dynamic".
   */
  GROUP("group");

  private final String word;

  ActOrder(String word) {
    this.word = word;
  }

  /** As recipes and config.json write it; null for {@link #NONE}. */
  public String word() {
    return word;
  }
}
