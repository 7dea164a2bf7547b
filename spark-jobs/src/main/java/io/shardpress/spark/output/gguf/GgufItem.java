package io.shardpress.spark.output.gguf;

import io.shardpress.schemas.gguf.GgufTensor;
import java.util.List;

/**
 * A tensor of a GGUF file.
 *
 * @param inputs names of the tensors that it comes from: one, those of all experts of a block in
 *     their order, or none
 * @param headDim rows of a head whose order changes; 0: rows stay in order
 * @param onePlus whether the input holds w of a norm by 1 + w, and the file the sum
 * @param numbers what it holds where it comes from config.json
 */
public record GgufItem(
    GgufTensor tensor, List<String> inputs, int headDim, boolean onePlus, List<Float> numbers) {
  public GgufItem {
    inputs = List.copyOf(inputs);
    numbers = List.copyOf(numbers);
  }

  /** One of numbers that follow from config.json. */
  GgufItem(GgufTensor tensor, List<Float> numbers) {
    this(tensor, List.of(), 0, false, numbers);
  }
}
