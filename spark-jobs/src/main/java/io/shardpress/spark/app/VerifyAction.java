package io.shardpress.spark.app;

import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.VerifyOptions;
import io.shardpress.spark.output.Verification;
import java.util.stream.Stream;

/** {@code verify}. */
final class VerifyAction {
  private VerifyAction() {}

  static int run(VerifyOptions options) {
    Verification verification =
        Verification.of(
            options.output(), Settings.of(options.spark(), Stream.of(options.output())));
    verification.problems().forEach(problem -> System.err.println("error: " + problem));
    if (!verification.problems().isEmpty()) {
      return ExitCodes.FAILED;
    }
    System.out.println(verification.treeHash());
    return ExitCodes.DONE;
  }
}
