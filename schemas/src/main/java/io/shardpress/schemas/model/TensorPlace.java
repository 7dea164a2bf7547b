package io.shardpress.schemas.model;

import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where in a model a tensor belongs, as far as its name tells; for tables that people filter.
 *
 * @param layer the block's number; empty outside the blocks
 * @param role q, k, v, o, gate, up, down (with _bias for theirs), input_norm, post_norm, q_norm,
 *     k_norm, embed, final_norm, lm_head; for other names what follows the block's number, or all
 */
public record TensorPlace(OptionalInt layer, String role) {
  private static final Pattern BLOCK =
      Pattern.compile("(?:^|.*?\\.)(?:layers|h|blocks|layer)\\.(\\d{1,6})\\.(.+)");

  private static final Map<String, String> ROLES =
      Map.of(
          "input_layernorm.weight", "input_norm",
          "post_attention_layernorm.weight", "post_norm",
          "self_attn.q_norm.weight", "q_norm",
          "self_attn.k_norm.weight", "k_norm");

  /** The place that a tensor's name gives it. */
  public static TensorPlace of(String tensor) {
    Matcher matcher = BLOCK.matcher(tensor);
    if (matcher.matches()) {
      int layer = Integer.parseInt(matcher.group(1));
      return new TensorPlace(OptionalInt.of(layer), inBlock(matcher.group(2)));
    }
    return new TensorPlace(OptionalInt.empty(), outside(tensor));
  }

  private static String inBlock(String rest) {
    for (LinearRole role : LinearRole.values()) {
      if (rest.equals(role.module() + ".weight")) {
        return role.label();
      }
      if (rest.equals(role.module() + ".bias")) {
        return role.label() + "_bias";
      }
    }
    return ROLES.getOrDefault(rest, rest);
  }

  private static String outside(String tensor) {
    if (tensor.endsWith("model.embed_tokens.weight")) {
      return "embed";
    }
    if (tensor.endsWith("model.norm.weight")) {
      return "final_norm";
    }
    return tensor.endsWith("lm_head.weight") ? "lm_head" : tensor;
  }
}
