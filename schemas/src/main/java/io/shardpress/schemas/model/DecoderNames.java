package io.shardpress.schemas.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Names of a decoder's tensors: {@code model.layers.N.self_attn.q_proj.weight} and so on; inside a
 * multimodal checkpoint the same behind another prefix.
 */
public final class DecoderNames {
  private static final String FIRST_NORM = ".layers.0.input_layernorm.weight";

  private final String decoder;
  private final String lmHead;

  private DecoderNames(String decoder, String lmHead) {
    this.decoder = decoder;
    this.lmHead = lmHead;
  }

  /** The names of a checkpoint that holds the language model alone. */
  public static DecoderNames plain() {
    return new DecoderNames("model", "lm_head");
  }

  /** The names as this checkpoint spells them, found by its first block's norm. */
  public static DecoderNames of(Collection<String> tensors) {
    for (String name : tensors) {
      // A vision tower may have layers too; only the language model's parent ends in "model".
      if (name.endsWith("model" + FIRST_NORM)) {
        String decoder = name.substring(0, name.length() - FIRST_NORM.length());
        String outer = decoder.substring(0, decoder.lastIndexOf('.') + 1);
        String nested = outer + "lm_head";
        return new DecoderNames(decoder, tensors.contains(nested + ".weight") ? nested : "lm_head");
      }
    }
    return plain();
  }

  /** The block's own prefix, such as model.layers.3. */
  public String block(int block) {
    return decoder + ".layers." + block;
  }

  /** The module's name as recipes match it, without .weight. */
  public String module(int block, LinearRole role) {
    return block(block) + "." + role.module();
  }

  /** The weight of a linear, [out, in]. */
  public String linear(int block, LinearRole role) {
    return module(block, role) + ".weight";
  }

  /** The bias of a linear, [out]. */
  public String bias(int block, LinearRole role) {
    return module(block, role) + ".bias";
  }

  /** The norm before attention, [hidden]. */
  public String inputNorm(int block) {
    return block(block) + ".input_layernorm.weight";
  }

  /** The norm before the MLP, [hidden]. */
  public String postNorm(int block) {
    return block(block) + ".post_attention_layernorm.weight";
  }

  /** The norm of each query head, [headDim]. */
  public String qNorm(int block) {
    return block(block) + ".self_attn.q_norm.weight";
  }

  /** The norm of each key head, [headDim]. */
  public String kNorm(int block) {
    return block(block) + ".self_attn.k_norm.weight";
  }

  /** The embedding, [vocab, hidden]. */
  public String embed() {
    return decoder + ".embed_tokens.weight";
  }

  /** The norm after the last block, [hidden]. */
  public String finalNorm() {
    return decoder + ".norm.weight";
  }

  /** The output projection, [vocab, hidden]; absent where it is the embedding. */
  public String lmHead() {
    return lmHead + ".weight";
  }

  /** All tensors of a block with their shapes, in the order of the block's arithmetic. */
  public List<ExpectedTensor> blockTensors(ModelConfig config, int block) {
    List<Long> hidden = List.of((long) config.hiddenSize());
    List<Long> head = List.of((long) config.headDim());
    List<ExpectedTensor> tensors = new ArrayList<>();
    tensors.add(new ExpectedTensor(inputNorm(block), hidden, "hidden_size"));
    for (LinearRole role : LinearRole.values()) {
      if (role == LinearRole.GATE) {
        tensors.add(new ExpectedTensor(postNorm(block), hidden, "hidden_size"));
      }
      long out = role.out(config);
      long in = role.in(config);
      String keys = "hidden_size, " + role.configKeys();
      tensors.add(new ExpectedTensor(linear(block, role), List.of(out, in), keys));
      if (role.bias(config)) {
        tensors.add(new ExpectedTensor(bias(block, role), List.of(out), keys));
      }
    }
    if (config.qkNorm()) {
      tensors.add(new ExpectedTensor(qNorm(block), head, "head_dim"));
      tensors.add(new ExpectedTensor(kNorm(block), head, "head_dim"));
    }
    return tensors;
  }

  /** The tensors outside the blocks; lm_head only where it is not the embedding. */
  public List<ExpectedTensor> outerTensors(ModelConfig config) {
    List<Long> table = List.of((long) config.vocabSize(), (long) config.hiddenSize());
    List<ExpectedTensor> tensors = new ArrayList<>();
    tensors.add(new ExpectedTensor(embed(), table, "vocab_size, hidden_size"));
    tensors.add(
        new ExpectedTensor(finalNorm(), List.of((long) config.hiddenSize()), "hidden_size"));
    if (!config.tieWordEmbeddings()) {
      tensors.add(new ExpectedTensor(lmHead(), table, "vocab_size, hidden_size"));
    }
    return tensors;
  }
}
