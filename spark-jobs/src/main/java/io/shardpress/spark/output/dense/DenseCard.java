package io.shardpress.spark.output.dense;

import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorRef;
import java.util.Locale;
import java.util.stream.Collectors;

/** The README.md of a dense checkpoint that a quantized one was turned into. */
public final class DenseCard {
  private DenseCard() {}

  public static String of(DecompressionPlan plan) {
    String forms =
        plan.weights().stream()
            .map(TensorRef::stored)
            .map(StoredWeight::form)
            .distinct()
            .sorted()
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        """
        ---
        library_name: transformers
        tags:
        - shardpress
        ---
        # Dequantized checkpoint

        %d weights were stored as %s; they are %s here, rounded to nearest. What quantization has
        changed in them stays changed. All other tensors are as they were.

        `shardpress.json` has the account of every tensor; `shardpress verify` checks the files against it.
        """,
        plan.weights().size(),
        forms,
        plan.dtype());
  }
}
