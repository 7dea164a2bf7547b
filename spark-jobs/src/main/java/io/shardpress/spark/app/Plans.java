package io.shardpress.spark.app;

import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.app.options.RecipeChoice;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.job.PlannedCompression;
import io.shardpress.spark.learn.cost.TaskMemory;
import io.shardpress.spark.plan.CompressionPlan;
import org.apache.hadoop.conf.Configuration;

/** Plans of a compression, from the options of a command. */
final class Plans {
  private Plans() {}

  static PlannedCompression compression(
      String model, RecipeChoice choice, OutputChoice outputs, Configuration configuration) {
    Recipe recipe = choice.resolve(uri -> SmallFiles.text(uri, configuration));
    Checkpoint checkpoint = Checkpoint.open(model, configuration);
    checkpoint.notes().forEach(Settings::warn);
    return PlannedCompression.of(QuantizedFolder.dequantized(checkpoint), recipe, outputs);
  }

  /** Refuses what executors cannot hold; warns where they cannot hold as many tasks as may run. */
  static void check(CompressionPlan plan, TaskMemory memory) {
    memory.check(plan.checkpoint().uri());
    memory.warning().ifPresent(Settings::warn);
  }
}
