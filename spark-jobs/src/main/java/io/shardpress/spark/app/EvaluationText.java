package io.shardpress.spark.app;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.spark.evaluate.Evaluation;
import java.util.Locale;

/** An evaluation for people, and for programs. */
final class EvaluationText {
  private EvaluationText() {}

  /** One line of JSON; its keys are what scripts rely on. */
  static String json(Evaluation evaluation) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("tokens", evaluation.tokens());
    json.putObject("original")
        .put("nll", evaluation.originalNll())
        .put("perplexity", evaluation.originalPerplexity());
    json.putObject("compressed")
        .put("nll", evaluation.compressedNll())
        .put("perplexity", evaluation.compressedPerplexity());
    json.putObject("kl")
        .put("mean", evaluation.kl().mean())
        .put("median", evaluation.kl().median())
        .put("p99", evaluation.kl().p99())
        .put("max", evaluation.kl().max());
    json.put("top1_agreement", evaluation.agreement());
    return json.toString();
  }

  /** A table. */
  static String table(Evaluation evaluation) {
    return String.format(
        Locale.ROOT,
        "%-16s %12s %12s %12s%n%-16s %12.5f %12.5f %+12.5f%n%-16s %12.4f %12.4f %+12.4f%n%n"
            + "%-16s %12s %12s %12s %12s%n%-16s %12.6f %12.6f %12.6f %12.6f%n%n"
            + "%-16s %12.4f%n%-16s %12d%n",
        "",
        "original",
        "compressed",
        "difference",
        "NLL (nats)",
        evaluation.originalNll(),
        evaluation.compressedNll(),
        evaluation.difference(),
        "perplexity",
        evaluation.originalPerplexity(),
        evaluation.compressedPerplexity(),
        evaluation.compressedPerplexity() - evaluation.originalPerplexity(),
        "",
        "mean",
        "median",
        "99 %",
        "max",
        "KL (nats)",
        evaluation.kl().mean(),
        evaluation.kl().median(),
        evaluation.kl().p99(),
        evaluation.kl().max(),
        "top-1 agreement",
        evaluation.agreement(),
        "tokens",
        evaluation.tokens());
  }

  /** How sure the difference is: both models saw the same windows. */
  static String paired(Evaluation evaluation) {
    return String.format(
        Locale.ROOT,
        "perplexity %+.3f %% ± %.3f %% (paired standard error over %d windows)",
        100 * Math.expm1(evaluation.difference()),
        100 * evaluation.standardError() * Math.exp(evaluation.difference()),
        evaluation.windows());
  }
}
