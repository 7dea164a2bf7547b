package io.shardpress.schemas.model;

import io.shardpress.schemas.CheckpointException;
import java.util.List;
import java.util.Map;

/** Holds the tensors of a checkpoint against its config.json. */
public final class ModelTensors {
  private ModelTensors() {}

  /**
   * Checks that every tensor that {@code config} calls for is there with its shape, and that no
   * block or bias is there that it does not know. Of a family that is unknown here, and of a
   * quantized model, nothing is expected.
   *
   * @param checkpoint the name to put in messages
   * @param shapes of all tensors of the checkpoint, by name
   * @throws CheckpointException naming tensor, shape found, shape wanted and the keys of
   *     config.json that want it
   */
  public static void check(String checkpoint, ModelConfig config, Map<String, List<Long>> shapes) {
    if (!config.knownFamily() || config.quantized()) {
      return;
    }
    DecoderNames names = DecoderNames.of(shapes.keySet(), config);
    for (ExpectedTensor tensor : names.outerTensors(config)) {
      check(checkpoint, tensor, shapes);
    }
    refuseStacked(checkpoint, config, shapes);
    for (int block = 0; block < config.layers(); block++) {
      for (ExpectedTensor tensor : names.blockTensors(config, block)) {
        check(checkpoint, tensor, shapes);
      }
      for (LinearRole role : config.linears(block)) {
        if (!role.bias(config) && shapes.containsKey(names.bias(block, role))) {
          throw bad(checkpoint, names.bias(block, role), "found it, wanted none", "*_bias");
        }
      }
    }
    if (shapes.containsKey(names.inputNorm(config.layers()))) {
      throw bad(
          checkpoint,
          names.inputNorm(config.layers()),
          "found it, wanted " + config.layers() + " blocks",
          "num_hidden_layers");
    }
    List<Long> lmHead = shapes.get(names.lmHead());
    List<Long> embed = shapes.get(names.embed());
    if (config.tieWordEmbeddings() && lmHead != null && !lmHead.equals(embed)) {
      throw bad(
          checkpoint,
          names.lmHead(),
          "found shape " + lmHead + ", wanted the embedding's " + embed,
          "tie_word_embeddings");
    }
  }

  /** Transformers 5 holds a block's experts in one tensor, and some tools save it so. */
  private static void refuseStacked(
      String checkpoint, ModelConfig config, Map<String, List<Long>> shapes) {
    if (config.experts() == null) {
      return;
    }
    shapes.forEach(
        (name, shape) -> {
          if (shape.size() == 3 && name.contains(".experts.")) {
            throw new CheckpointException(
                "%s: tensor %s: found all experts in one tensor of shape %s, wanted one for each expert; save the model with Transformers' save_pretrained, which splits them"
                    .formatted(checkpoint, name, shape));
          }
        });
  }

  private static void check(
      String checkpoint, ExpectedTensor wanted, Map<String, List<Long>> shapes) {
    List<Long> found = shapes.get(wanted.name());
    if (found == null) {
      throw bad(
          checkpoint,
          wanted.name(),
          "found no such tensor, wanted one of shape " + wanted.shape(),
          wanted.configKeys(),
          MissingTensor.hint(wanted.name(), shapes.keySet()));
    }
    if (!found.equals(wanted.shape())) {
      throw bad(
          checkpoint,
          wanted.name(),
          "found shape " + found + ", wanted " + wanted.shape(),
          wanted.configKeys());
    }
  }

  private static CheckpointException bad(
      String checkpoint, String tensor, String what, String keys) {
    return bad(checkpoint, tensor, what, keys, "tensors and config.json are not of one model");
  }

  private static CheckpointException bad(
      String checkpoint, String tensor, String what, String keys, String cause) {
    return new CheckpointException(
        String.format(
            "%s: tensor %s: %s by config.json (%s); %s", checkpoint, tensor, what, keys, cause));
  }
}
