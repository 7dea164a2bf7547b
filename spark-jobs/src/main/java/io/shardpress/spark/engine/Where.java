package io.shardpress.spark.engine;

import java.util.Locale;
import java.util.OptionalInt;

/**
 * Where in a model some work is done; with a step's name it describes Spark jobs.
 *
 * @param block number of the block, from 0; empty where the work is on several or on none
 * @param blocks how many the model has; without {@code block}, how many the work is on
 * @param site what is worked on within a block, such as gate_up; may be empty
 */
public record Where(OptionalInt block, int blocks, String site) {
  /** Somewhere outside blocks, or all over the model. */
  public static final Where MODEL = new Where(OptionalInt.empty(), 0, "");

  /** A block of a model. */
  public static Where block(int block, int blocks) {
    return new Where(OptionalInt.of(block), blocks, "");
  }

  /** That many blocks at once. */
  public static Where blocks(int blocks) {
    return new Where(OptionalInt.empty(), blocks, "");
  }

  /** The same at a site. */
  public Where at(String name) {
    return new Where(block, blocks, name);
  }

  /** The same site in that many blocks at once. */
  public Where across(int count) {
    return new Where(OptionalInt.empty(), count, site);
  }

  /** Such as {@code block 3/80 · gate_up · factors}: the first block of 80 is 1/80. */
  public String text(String step) {
    StringBuilder text = new StringBuilder();
    if (block.isPresent()) {
      text.append(String.format(Locale.ROOT, "block %d/%d · ", block.getAsInt() + 1, blocks));
    } else if (blocks > 0) {
      text.append(String.format(Locale.ROOT, "%d blocks · ", blocks));
    }
    if (!site.isEmpty()) {
      text.append(site).append(" · ");
    }
    return text.append(step).toString();
  }
}
