package io.shardpress.schemas.model;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where in a model a tensor belongs, as far as its name tells; for tables that people filter.
 *
 * @param layer the block's number; empty outside the blocks
 * @param role q, k, v, qkv, o, gate, up, gate_up, down (with _bias for theirs, and of experts as
 *     {@code expert 3 gate}, {@code shared gate}), input_norm, post_norm, q_norm, k_norm, router,
 *     embed, final_norm, lm_head; for other names what follows the block's number, or all
 */
public record TensorPlace(OptionalInt layer, String role) {
  private static final String WEIGHT = ".weight";

  private static final Pattern EXPERT =
      Pattern.compile(
          "(?:mlp|block_sparse_moe)\\.experts\\.(\\d{1,6})\\.(gate_proj|up_proj|down_proj|w1|w2|w3)");

  private static final Pattern SHARED =
      Pattern.compile("mlp\\.shared_expert\\.(gate_proj|up_proj|down_proj)");

  private static final Pattern BLOCK =
      Pattern.compile("(?:^|.*?\\.)(?:layers|h|blocks|layer)\\.(\\d{1,6})\\.(.+)");

  private static final Map<String, String> ROLES =
      Map.of(
          "input_layernorm.weight", "input_norm",
          "post_attention_layernorm.weight", "post_norm",
          "self_attn.q_norm.weight", "q_norm",
          "self_attn.k_norm.weight", "k_norm",
          "mlp.gate.weight", "router",
          "block_sparse_moe.gate.weight", "router");

  /** The place that a tensor's name gives it. */
  public static TensorPlace of(String tensor) {
    Matcher matcher = BLOCK.matcher(tensor);
    if (matcher.matches()) {
      int layer = Integer.parseInt(matcher.group(1));
      return new TensorPlace(OptionalInt.of(layer), inBlock(matcher.group(2)));
    }
    return new TensorPlace(OptionalInt.empty(), outside(tensor));
  }

  /** The linear of a block whose weight a tensor of that name is. */
  public static Optional<LinearRole> linear(String tensor) {
    Matcher matcher = BLOCK.matcher(tensor);
    return matcher.matches() && tensor.endsWith(WEIGHT)
        ? module(matcher.group(2).substring(0, matcher.group(2).length() - WEIGHT.length()))
        : Optional.empty();
  }

  private static String inBlock(String rest) {
    int dot = rest.lastIndexOf('.');
    String end = dot < 0 ? "" : rest.substring(dot);
    if (end.equals(WEIGHT) || end.equals(".bias")) {
      Optional<LinearRole> role = module(rest.substring(0, dot));
      if (role.isPresent()) {
        return role.get().label() + (end.equals(WEIGHT) ? "" : "_bias");
      }
    }
    return ROLES.getOrDefault(rest, rest);
  }

  private static Optional<LinearRole> module(String module) {
    for (LinearRole.Kind kind : LinearRole.Kind.values()) {
      LinearRole role = new LinearRole(kind, LinearRole.NONE);
      if (module.equals(role.module())) {
        return Optional.of(role);
      }
    }
    Matcher expert = EXPERT.matcher(module);
    if (expert.matches()) {
      return Optional.of(new LinearRole(kind(expert.group(2)), Integer.parseInt(expert.group(1))));
    }
    Matcher shared = SHARED.matcher(module);
    return shared.matches()
        ? Optional.of(new LinearRole(kind(shared.group(1)), LinearRole.SHARED))
        : Optional.empty();
  }

  private static LinearRole.Kind kind(String name) {
    return switch (name) {
      case "gate_proj", "w1" -> LinearRole.Kind.GATE;
      case "up_proj", "w3" -> LinearRole.Kind.UP;
      default -> LinearRole.Kind.DOWN;
    };
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
