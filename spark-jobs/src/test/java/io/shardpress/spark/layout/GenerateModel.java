package io.shardpress.spark.layout;

import java.io.IOException;
import java.nio.file.Path;

/** For scripts/large-model: makes a Llama of any size with random weights in bf16. */
public final class GenerateModel {
  private GenerateModel() {}

  /** FOLDER BLOCKS HIDDEN INTERMEDIATE HEADS KV_HEADS VOCABULARY SHARDS. */
  public static void main(String[] args) throws IOException {
    long[] numbers = new long[args.length];
    for (int i = 1; i < args.length; i++) {
      numbers[i] = Long.parseLong(args[i]);
    }
    Llama model =
        new Llama(
            Math.toIntExact(numbers[1]),
            numbers[2],
            numbers[3],
            numbers[4],
            numbers[5],
            numbers[6],
            true);
    new LayoutWriter(Path.of(args[0]), new RandomWeights())
        .write(model.tensors().all(), model.config(), Math.toIntExact(numbers[7]));
  }
}
