package io.shardpress.schemas.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Names of a decoder's tensors: {@code model.layers.N.self_attn.q_proj.weight} and so on; inside a
 * multimodal checkpoint the same behind another prefix, and in some families otherwise spelled.
 */
public final class DecoderNames {
  private static final String FIRST_NORM = ".layers.0.input_layernorm.weight";

  private final String decoder;
  private final String lmHead;
  private final Spelling spelling;

  /** How families spell what is not as with Llama. */
  private enum Spelling {
    LLAMA,
    /** Experts' linears w1, w2 and w3 in block_sparse_moe. */
    MIXTRAL,
    /** Four norms in a block, where post_attention_layernorm follows o. */
    GEMMA
  }

  private DecoderNames(String decoder, String lmHead, Spelling spelling) {
    this.decoder = decoder;
    this.lmHead = lmHead;
    this.spelling = spelling;
  }

  /** The names of a checkpoint that holds the language model alone. */
  public static DecoderNames plain() {
    return new DecoderNames("model", "lm_head", Spelling.LLAMA);
  }

  /** The names as this checkpoint of a known family spells them. */
  public static DecoderNames of(Collection<String> tensors, ModelConfig config) {
    return of(tensors).as(config);
  }

  /**
   * The names as this checkpoint spells them, found by its first block's norm; those inside blocks
   * as Llama has them.
   */
  public static DecoderNames of(Collection<String> tensors) {
    for (String name : tensors) {
      // A vision tower may have layers too; only the language model's parent ends in "model".
      if (name.endsWith("model" + FIRST_NORM)) {
        String decoder = name.substring(0, name.length() - FIRST_NORM.length());
        String outer = decoder.substring(0, decoder.lastIndexOf('.') + 1);
        String nested = outer + "lm_head";
        return new DecoderNames(
            decoder, tensors.contains(nested + ".weight") ? nested : "lm_head", Spelling.LLAMA);
      }
    }
    return plain();
  }

  private DecoderNames as(ModelConfig config) {
    if (config.traits() != null && config.traits().outputNorms()) {
      return new DecoderNames(decoder, lmHead, Spelling.GEMMA);
    }
    boolean mixtral = Family.of(config.modelType()).filter(Family.MIXTRAL::equals).isPresent();
    return mixtral ? new DecoderNames(decoder, lmHead, Spelling.MIXTRAL) : this;
  }

  /** The block's own prefix, such as model.layers.3. */
  public String block(int block) {
    return decoder + ".layers." + block;
  }

  /** The module's name as recipes match it, without .weight. */
  public String module(int block, LinearRole role) {
    return block(block) + "." + inBlock(role);
  }

  private String inBlock(LinearRole role) {
    String module = role.module();
    String name = module.substring(module.indexOf('.') + 1);
    return switch (role.expert()) {
      case LinearRole.NONE -> module;
      case LinearRole.SHARED -> "mlp.shared_expert." + name;
      default ->
          spelling == Spelling.MIXTRAL
              ? "block_sparse_moe.experts." + role.expert() + "." + mixtral(role)
              : "mlp.experts." + role.expert() + "." + name;
    };
  }

  private static String mixtral(LinearRole role) {
    return switch (role.kind()) {
      case GATE -> "w1";
      case UP -> "w3";
      default -> "w2";
    };
  }

  /** The router of a mixture of experts, [experts, hidden]. */
  public String router(int block) {
    return block(block)
        + (spelling == Spelling.MIXTRAL ? ".block_sparse_moe" : ".mlp")
        + ".gate.weight";
  }

  /** The gate of the expert that all tokens go through, [1, hidden]. */
  public String sharedGate(int block) {
    return block(block) + ".mlp.shared_expert_gate.weight";
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
    return block(block)
        + (spelling == Spelling.GEMMA
            ? ".pre_feedforward_layernorm.weight"
            : ".post_attention_layernorm.weight");
  }

  /** The norm of what attention gives, [hidden]; of families that have one. */
  public String attentionOutputNorm(int block) {
    return block(block) + ".post_attention_layernorm.weight";
  }

  /** The norm of what the MLP gives, [hidden]; of families that have one. */
  public String mlpOutputNorm(int block) {
    return block(block) + ".post_feedforward_layernorm.weight";
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
    DecoderNames names = as(config);
    List<Long> hidden = List.of((long) config.hiddenSize());
    List<Long> head = List.of((long) config.headDim());
    List<ExpectedTensor> tensors = new ArrayList<>();
    tensors.add(new ExpectedTensor(names.inputNorm(block), hidden, "hidden_size"));
    tensors.add(new ExpectedTensor(names.postNorm(block), hidden, "hidden_size"));
    if (config.traits().outputNorms()) {
      tensors.add(new ExpectedTensor(names.attentionOutputNorm(block), hidden, "hidden_size"));
      tensors.add(new ExpectedTensor(names.mlpOutputNorm(block), hidden, "hidden_size"));
    }
    for (LinearRole role : config.linears(block)) {
      long out = role.out(config);
      long in = role.in(config);
      String keys = "hidden_size, " + role.configKeys();
      tensors.add(new ExpectedTensor(names.linear(block, role), List.of(out, in), keys));
      if (role.bias(config)) {
        tensors.add(new ExpectedTensor(names.bias(block, role), List.of(out), keys));
      }
    }
    if (config.qkNorm()) {
      tensors.add(new ExpectedTensor(names.qNorm(block), head, "head_dim"));
      tensors.add(new ExpectedTensor(names.kNorm(block), head, "head_dim"));
    }
    if (config.sparse(block)) {
      long experts = config.experts().count();
      tensors.add(
          new ExpectedTensor(
              names.router(block),
              List.of(experts, (long) config.hiddenSize()),
              "hidden_size, number of experts"));
      if (config.experts().shared()) {
        tensors.add(
            new ExpectedTensor(
                names.sharedGate(block), List.of(1L, (long) config.hiddenSize()), "hidden_size"));
      }
    }
    return tensors;
  }

  /** The tensors outside the blocks; lm_head only where it is there and is not the embedding. */
  public List<ExpectedTensor> outerTensors(ModelConfig config) {
    List<Long> table = List.of((long) config.vocabSize(), (long) config.hiddenSize());
    List<ExpectedTensor> tensors = new ArrayList<>();
    tensors.add(new ExpectedTensor(embed(), table, "vocab_size, hidden_size"));
    tensors.add(
        new ExpectedTensor(finalNorm(), List.of((long) config.hiddenSize()), "hidden_size"));
    // Classes such as LlamaModel are the decoder without a head, as embedding models are saved.
    if (!config.tieWordEmbeddings() && !config.architecture().endsWith("Model")) {
      tensors.add(new ExpectedTensor(lmHead(), table, "vocab_size, hidden_size"));
    }
    return tensors;
  }
}
