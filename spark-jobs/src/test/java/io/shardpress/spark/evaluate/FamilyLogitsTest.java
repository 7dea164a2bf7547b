package io.shardpress.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.nn.OutputHead;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.family.TinyFamily;
import io.shardpress.spark.io.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Logits of each family's small model against its formulas in f64. */
class FamilyLogitsTest {
  private static final int WINDOW = 40;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(TinyFamily.class)
  void logitsAreThoseOfTheFormulas(TinyFamily family) throws IOException {
    Path model = family.write(folder.resolve("model"));
    ModelSource source = ModelSource.of(Checkpoint.open(model.toString(), new Configuration()));
    int[] ids = new Random(4).ints(2 * WINDOW, 0, source.vocabulary()).toArray();
    RunSettings settings =
        RunSettings.ofThisProcess("test", folder.resolve("work").toUri().toString());
    int positions = 2 * (WINDOW - 1);
    float[] logits = new float[positions * source.vocabulary()];
    try (TaskEnvironment environment = new TaskEnvironment(settings, new Configuration(false), 2)) {
      float[] normed = new ModelPass(source, WINDOW, environment).predicting(ids);
      float[] head = source.head().rows(environment.reader(), 0, source.vocabulary());
      new OutputHead(source.head().in(), source.traits().logitCap(), environment.matmul())
          .logits(normed, positions, head, source.vocabulary(), logits, environment.workers());
    }
    double squares = 0;
    double worst = 0;
    for (int window = 0; window < 2; window++) {
      int[] text = java.util.Arrays.copyOfRange(ids, window * WINDOW, (window + 1) * WINDOW);
      double[][] wanted = family.scalar().logits(text);
      for (int t = 0; t < WINDOW - 1; t++) {
        for (int token = 0; token < source.vocabulary(); token++) {
          int at = (window * (WINDOW - 1) + t) * source.vocabulary() + token;
          double error = Math.abs(logits[at] - wanted[t][token]);
          worst = Math.max(worst, Double.isNaN(error) ? Double.POSITIVE_INFINITY : error);
          squares += wanted[t][token] * wanted[t][token];
        }
      }
    }
    assertThat(worst).isLessThan(1e-4 * Math.sqrt(squares / logits.length));
  }
}
