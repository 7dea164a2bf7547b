package io.shardpress.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.kernels.nn.OutputHead;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.text.TokenizerFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** What llama.cpp and our own blocks must agree about on the same weights. */
final class LlamaCppAgreement {
  static final int WINDOW = 256;
  static final int WINDOWS = 16;
  static final int CONTINUED = 24;

  /** Logits of two tokens that differ by less may change places by llama.cpp's rounding. */
  private static final float NEAR_TIE = 0.15f;

  private LlamaCppAgreement() {}

  /** The first windows of the held-out documents, cut by llama.cpp as by the model's tokenizer. */
  static List<int[]> heldOut(LlamaCpp llama, Path model) throws IOException {
    List<Integer> ids = new ArrayList<>();
    try (TokenizerFile tokenizer =
        TokenizerFile.load(new org.apache.hadoop.fs.Path(model.toString()), new Configuration())) {
      for (String line : Files.readAllLines(SampleFiles.FOLDER.resolve("heldout.jsonl"))) {
        if (ids.size() >= WINDOWS * WINDOW) {
          break;
        }
        String text = new JsonMapper().readTree(line).get("text").asText();
        int[] tokens = llama.tokenize(text);
        assertThat(tokens).as(text).isEqualTo(tokenizer.encode(text));
        Arrays.stream(tokens).forEach(ids::add);
      }
    }
    List<int[]> windows = new ArrayList<>();
    for (int i = 0; i < WINDOWS; i++) {
      windows.add(
          ids.subList(i * WINDOW, (i + 1) * WINDOW).stream().mapToInt(Integer::intValue).toArray());
    }
    return windows;
  }

  interface Logits {
    /** [tokens × vocabulary], or without the last token's. */
    float[] of(int[] tokens);
  }

  /**
   * Perplexity within 0.5 %, and the same greedy tokens.
   *
   * @param twin safetensors of the same weights
   */
  static void check(LlamaCpp llama, Path twin, List<int[]> windows) {
    check(llama, twin, windows, 22);
  }

  /**
   * The same of models that know too little to prefer a token clearly.
   *
   * @param same how many of {@link #CONTINUED} greedy tokens must be ours; all others are near ties
   */
  static void check(LlamaCpp llama, Path twin, List<int[]> windows, int same) {
    try (TaskEnvironment environment =
        new TaskEnvironment(
            RunSettings.ofThisProcess("test", twin.resolveSibling("none").toUri().toString()),
            new Configuration(false),
            2)) {
      ModelSource source = ModelSource.of(Checkpoint.open(twin.toString(), new Configuration()));
      Logits ours = tokens -> ours(source, environment, tokens);
      double wanted = perplexity(windows, llama.tokens(), ours);
      double found = perplexity(windows, llama.tokens(), llama::logits);
      assertThat(found).isCloseTo(wanted, within(0.005 * wanted));
      for (int[] window : windows.subList(0, 2)) {
        checkGreedy(llama, Arrays.copyOf(window, 12), ours, same);
      }
    }
  }

  /** Each token that llama.cpp takes is the one that our logits have first, near ties apart. */
  private static void checkGreedy(LlamaCpp llama, int[] prompt, Logits ours, int wanted) {
    int vocabulary = llama.tokens();
    int[] continued = llama.greedy(prompt, CONTINUED);
    float[] logits = ours.of(continued);
    int same = 0;
    for (int i = prompt.length; i < continued.length; i++) {
      int from = (i - 1) * vocabulary;
      int best = LlamaCpp.best(logits, from, vocabulary);
      assertThat(logits[from + continued[i]])
          .as("logit of token %d at %d, where ours is %d", continued[i], i, best)
          .isGreaterThan(logits[from + best] - NEAR_TIE);
      same += best == continued[i] ? 1 : 0;
    }
    assertThat(same)
        .as("greedy tokens that are the same, of %d", CONTINUED)
        .isGreaterThanOrEqualTo(wanted);
  }

  private static float[] ours(ModelSource model, TaskEnvironment environment, int[] tokens) {
    float[] x = new ModelPass(model, tokens.length, environment).predicting(tokens);
    int positions = tokens.length - 1;
    float[] logits = new float[positions * model.vocabulary()];
    float[] head = model.head().rows(environment.reader(), 0, model.vocabulary());
    new OutputHead(model.head().in(), model.traits().logitCap(), environment.matmul())
        .logits(x, positions, head, model.vocabulary(), logits, environment.workers());
    return logits;
  }

  static double perplexity(List<int[]> windows, int vocabulary, Logits model) {
    double nll = 0;
    int count = 0;
    for (int[] window : windows) {
      float[] logits = model.of(window);
      for (int i = 0; i + 1 < window.length; i++) {
        double sum = 0;
        for (int token = 0; token < vocabulary; token++) {
          sum += Math.exp(logits[i * vocabulary + token]);
        }
        nll += Math.log(sum) - logits[i * vocabulary + window[i + 1]];
        count++;
      }
    }
    return Math.exp(nll / count);
  }
}
