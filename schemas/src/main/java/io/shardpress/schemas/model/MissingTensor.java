package io.shardpress.schemas.model;

import io.shardpress.schemas.Nearest;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/** Why a tensor that config.json calls for is not there, as far as the names of others tell. */
final class MissingTensor {
  private static final Pattern ADAPTER =
      Pattern.compile(".*\\.(lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|base_layer)\\b.*");

  /** The layout of Meta's and Mistral's own files. */
  private static final Pattern NATIVE = Pattern.compile("layers\\.\\d+\\.attention\\.w[qkvo]\\..*");

  private static final Pattern BLOCK = Pattern.compile("(.*\\.layers\\.\\d+\\.).*");

  /** More names than these are not held against the one that is missing. */
  private static final int COMPARED = 20_000;

  private MissingTensor() {}

  /** The cause, with what to do. */
  static String hint(String missing, Collection<String> tensors) {
    if (tensors.stream().anyMatch(name -> ADAPTER.matcher(name).matches())) {
      return "an adapter lies beside or in place of the model's own tensors: merge it with PEFT's"
          + " merge_and_unload(), and save_pretrained";
    }
    if (tensors.stream().anyMatch(name -> NATIVE.matcher(name).matches())) {
      return "these files have the layout of the model's makers, wanted Hugging Face's: take the"
          + " model-*.safetensors of its hub page, or convert them with Transformers'"
          + " convert_*_weights_to_hf.py";
    }
    var block = BLOCK.matcher(missing);
    if (block.matches()
        && tensors.stream().anyMatch(name -> name.matches(".*\\.layers\\.\\d+\\..*"))
        && tensors.stream().noneMatch(name -> name.startsWith(block.group(1)))) {
      return "no tensor of that block is there: a shard is missing, or tensors and config.json are"
          + " not of one model";
    }
    List<String> some = tensors.stream().limit(COMPARED).toList();
    String nearest = some.isEmpty() ? "" : ", the nearest name is " + Nearest.to(missing, some);
    return "tensors and config.json are not of one model" + nearest;
  }
}
