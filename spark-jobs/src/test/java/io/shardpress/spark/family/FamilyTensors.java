package io.shardpress.spark.family;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names and shapes of a family's tensors, as its published checkpoints have them. */
public final class FamilyTensors {
  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
  private final JsonNode config;
  private final String type;
  private final long hidden;

  private FamilyTensors(JsonNode config) {
    this.config = config;
    type = config.get("model_type").asText();
    hidden = config.get("hidden_size").asLong();
  }

  /** All tensors of the model of a config.json whose keys are all there. */
  public static Map<String, List<Long>> of(JsonNode config) {
    return of(config, "");
  }

  /**
   * The same behind a prefix, as in multimodal checkpoints.
   *
   * @param prefix such as language_model.
   */
  public static Map<String, List<Long>> of(JsonNode config, String prefix) {
    FamilyTensors tensors = new FamilyTensors(config);
    tensors.add(prefix);
    return tensors.shapes;
  }

  private void add(String prefix) {
    long vocabulary = config.get("vocab_size").asLong();
    boolean gemma = type.startsWith("gemma");
    put(prefix + "model.embed_tokens", vocabulary, hidden);
    for (int i = 0; i < config.get("num_hidden_layers").asInt(); i++) {
      block(prefix + "model.layers." + i + ".", i);
    }
    put(prefix + "model.norm", hidden);
    if (!config.path("tie_word_embeddings").asBoolean(gemma)) {
      put(prefix + "lm_head", vocabulary, hidden);
    }
  }

  private void block(String block, int number) {
    long heads = config.get("num_attention_heads").asLong();
    long head = config.path("head_dim").asLong(hidden / heads);
    long q = heads * head;
    long kv = config.get("num_key_value_heads").asLong() * head;
    long inter = config.get("intermediate_size").asLong();
    put(block + "input_layernorm", hidden);
    put(block + "post_attention_layernorm", hidden);
    if (type.startsWith("gemma")) {
      put(block + "pre_feedforward_layernorm", hidden);
      put(block + "post_feedforward_layernorm", hidden);
    }
    if (type.equals("phi3")) {
      put(block + "self_attn.qkv_proj", q + 2 * kv, hidden);
      put(block + "mlp.gate_up_proj", 2 * inter, hidden);
      put(block + "mlp.down_proj", hidden, inter);
    } else {
      put(block + "self_attn.q_proj", q, hidden);
      put(block + "self_attn.k_proj", kv, hidden);
      put(block + "self_attn.v_proj", kv, hidden);
      if (type.equals("qwen2_moe")) {
        shapes.put(block + "self_attn.q_proj.bias", List.of(q));
        shapes.put(block + "self_attn.k_proj.bias", List.of(kv));
        shapes.put(block + "self_attn.v_proj.bias", List.of(kv));
      }
      feedForward(block, number, inter);
    }
    put(block + "self_attn.o_proj", hidden, q);
    if (type.startsWith("gemma3") || type.equals("qwen3_moe")) {
      put(block + "self_attn.q_norm", head);
      put(block + "self_attn.k_norm", head);
    }
  }

  private void feedForward(String block, int number, long inter) {
    if (type.equals("mixtral")) {
      long experts = config.get("num_local_experts").asLong();
      put(block + "block_sparse_moe.gate", experts, hidden);
      for (long e = 0; e < experts; e++) {
        String expert = block + "block_sparse_moe.experts." + e + ".";
        put(expert + "w1", inter, hidden);
        put(expert + "w2", hidden, inter);
        put(expert + "w3", inter, hidden);
      }
      return;
    }
    List<Integer> dense = new ArrayList<>();
    config.path("mlp_only_layers").forEach(layer -> dense.add(layer.asInt()));
    if (!type.endsWith("_moe")
        || dense.contains(number)
        || (number + 1) % config.path("decoder_sparse_step").asInt(1) != 0) {
      gated(block + "mlp.", inter);
      return;
    }
    long experts = config.get("num_experts").asLong();
    put(block + "mlp.gate", experts, hidden);
    for (long e = 0; e < experts; e++) {
      gated(block + "mlp.experts." + e + ".", config.get("moe_intermediate_size").asLong());
    }
    if (type.equals("qwen2_moe")) {
      gated(block + "mlp.shared_expert.", config.get("shared_expert_intermediate_size").asLong());
      put(block + "mlp.shared_expert_gate", 1, hidden);
    }
  }

  private void gated(String module, long inter) {
    put(module + "gate_proj", inter, hidden);
    put(module + "up_proj", inter, hidden);
    put(module + "down_proj", hidden, inter);
  }

  private void put(String module, long... sides) {
    List<Long> shape = new ArrayList<>();
    for (long side : sides) {
      shape.add(side);
    }
    shapes.put(module + ".weight", shape);
  }
}
