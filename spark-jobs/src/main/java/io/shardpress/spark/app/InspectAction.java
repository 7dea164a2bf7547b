package io.shardpress.spark.app;

import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.InspectOptions;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.inspect.Inspection;
import io.shardpress.spark.inspect.TensorPattern;
import io.shardpress.spark.inspect.TensorTable;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** {@code inspect}. */
final class InspectAction {
  private InspectAction() {}

  static int run(InspectOptions options) {
    Predicate<String> wanted = options.tensors().map(TensorPattern::of).orElse(name -> true);
    Checkpoint folder =
        Checkpoint.open(options.model(), Settings.of(options.spark(), Stream.of(options.model())));
    folder.notes().forEach(Settings::warn);
    Checkpoint checkpoint = options.dequantize() ? QuantizedFolder.dequantized(folder) : folder;
    List<TensorRef> tensors = Inspection.select(checkpoint, wanted);
    if (options.statistics() && !tensors.isEmpty()) {
      try (OpenSession session = SparkSessions.open("inspect", options.spark())) {
        System.out.print(
            TensorTable.of(tensors, Inspection.statistics(session.session(), checkpoint, tensors)));
      }
    } else {
      System.out.print(TensorTable.of(tensors));
    }
    System.err.printf(
        Locale.ROOT,
        "%d of %d tensors, %.1f MB%n",
        tensors.size(),
        checkpoint.tensors().size(),
        tensors.stream().mapToLong(TensorRef::storedBytes).sum() / 1e6);
    return ExitCodes.DONE;
  }
}
