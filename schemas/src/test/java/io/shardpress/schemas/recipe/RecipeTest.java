package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.UsageException;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecipeTest {
  private static final WeightScheme W4 = new WeightScheme(4, true, 128);

  private static Recipe parse(String yaml) {
    return Recipe.parse("r.yaml", yaml);
  }

  private static Modifier lrq(String keys) {
    return parse("quant_stage: {quant_modifiers: {LRQModifier: {scheme: W4A16" + keys + "}}}")
        .modifiers()
        .get(0);
  }

  @Test
  void everyKeyOfTheDesignIsRead() {
    Modifier m =
        parse(
                """
                quant_stage:
                  quant_modifiers:
                    LRQModifier: {targets: [Linear], ignore: [lm_head], scheme: W3A16_ASYM, group_size: channel, objective: block, init: rtn, order: parallel, rank: 16, iterations: 300, learning_rate: 2e-3, batch_size: 4, step_search: false, alpha: 0.25, damping: 0.2, touch_up: 100, scale_iterations: 30, seed: 7, keep_best: false, true_sequential: false, block_size: 64, dampening_frac: 0.05, descent_rounds: 5, descent_sweeps: 1}
                """)
            .modifiers()
            .get(0);
    assertThat(m.groups())
        .containsExactly(new SchemeGroup(List.of("Linear"), new WeightScheme(3, false, 0)));
    assertThat(m.ignore()).containsExactly("lm_head");
    assertThat(LrqSettings.of(m))
        .isEqualTo(new LrqSettings(LrqSettings.Objective.BLOCK, LrqSettings.Init.RTN, 16));
    assertThat(BlockwiseSettings.of(m))
        .isEqualTo(
            new BlockwiseSettings(
                BlockwiseSettings.Order.PARALLEL, 300, 2e-3, 4, false, 100, 30, false, 7));
    assertThat(GptqSettings.of(m))
        .isEqualTo(new GptqSettings(false, 0.25, 0.2, 64, 0.05, false, 5, 1));
  }

  @Test
  void defaultsAreThoseOfTheDesign() {
    Modifier m = lrq("");
    assertThat(m.groups()).containsExactly(new SchemeGroup(List.of("Linear"), W4));
    assertThat(m.ignore()).containsExactly("lm_head");
    assertThat(LrqSettings.of(m))
        .isEqualTo(new LrqSettings(LrqSettings.Objective.BLOCK, LrqSettings.Init.GPTQ, 0));
    assertThat(BlockwiseSettings.of(m))
        .isEqualTo(
            new BlockwiseSettings(
                BlockwiseSettings.Order.SEQUENTIAL, 500, 1e-3, 2, true, 0, 100, true, 0));
    assertThat(GptqSettings.of(m))
        .isEqualTo(new GptqSettings(true, 0.5, 0.1, 128, 0.01, true, 2, 2));
  }

  /** Stages say how they run, and keys have llm-compressor's names where those are others. */
  @Test
  void stagesAndKeysOfLlmCompressor() {
    assertThat(
            parse(
                """
                compress_stage:
                  run_type: oneshot
                  compress_modifiers:
                    AutoRoundModifier: {targets: [Linear], scheme: w4a16, iters: 20, lr: 2e-3, device_ids: '0', group: compress, start: 0.0}
                """))
        .isEqualTo(
            parse("AutoRoundModifier: {scheme: W4A16, iterations: 20, learning_rate: 0.002}"));
    assertThat(parse("GPTQModifier: {scheme: INT8}"))
        .isEqualTo(parse("GPTQModifier: {scheme: W8A8}"));
    assertThat(parse("QuantizationModifier: {scheme: W4A16, weight_observer: mse}"))
        .isEqualTo(parse("QuantizationModifier: {scheme: W4A16, step_search: true}"))
        .isEqualTo(
            parse("QuantizationModifier: {scheme: W4A16, observer: {weights: memoryless_mse}}"));
    assertThat(
            parse("GPTQModifier: {scheme: W8A8_STATIC, input_observer: minmax}")
                .modifiers()
                .get(0)
                .groups()
                .get(0)
                .activations())
        .isEqualTo(new ActivationScheme(8, true, false, false));
  }

  /** A scheme, and behind it what learns by it. */
  @Test
  void aLearnerWithoutASchemeTakesTheOneBeforeIt() {
    Recipe recipe =
        parse(
            """
            QuantizationModifier:
              ignore: [lm_head, a]
              config_groups: {g: {targets: [Linear], weights: {num_bits: 4, group_size: 32, actorder: group}}}
            GPTQModifier: {block_size: 64, ignore: [b]}
            """);
    assertThat(recipe.modifiers()).hasSize(1);
    Modifier gptq = recipe.modifiers().get(0);
    assertThat(gptq.kind()).isEqualTo(ModifierKind.GPTQ);
    assertThat(gptq.ignore()).containsExactly("lm_head", "a", "b");
    assertThat(gptq.groups().get(0).weights().order()).isEqualTo(ActOrder.GROUP);
    assertThat(GptqSettings.of(gptq).blockSize()).isEqualTo(64);
    assertThat(
            parse("QuantizationModifier: {scheme: W4A16}\nGPTQModifier: {scheme: W8A16}")
                .modifiers())
        .hasSize(2);
  }

  /** Nothing said of what shares a scale is compressed-tensors' strategy tensor. */
  @Test
  void oneScaleForAWeight() {
    for (String strategy :
        List.of("", ", strategy: tensor", ", strategy: tensor, group_size: null")) {
      Recipe recipe =
          parse(
              "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 8"
                  + strategy
                  + "}, input_activations: {num_bits: 8}}}}");
      SchemeGroup group = recipe.modifiers().get(0).groups().get(0);
      assertThat(group.weights()).isEqualTo(WeightScheme.perTensor(8));
      assertThat(group.weights().sharing()).isEqualTo("per tensor");
      assertThat(recipe.digest())
          .isNotEqualTo(parse("QuantizationModifier: {scheme: W8A8_STATIC}").digest());
      assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
    }
  }

  @Test
  void aCacheAlone() {
    Recipe recipe =
        parse(
            "QuantizationModifier: {kv_cache_scheme: {num_bits: 8, type: float, strategy:"
                + " tensor}}");
    assertThat(recipe.quantizesWeights()).isFalse();
    assertThat(recipe.needsText()).isTrue();
    assertThat(recipe.kvCache()).contains(new KvCacheScheme(true));
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
  }

  @Test
  void mappingsInAllTheirForms() {
    List<LayerMapping> wanted =
        List.of(
            new LayerMapping("re:.*norm", List.of("re:.*q", "re:.*k")),
            new LayerMapping("u", List.of("d")));
    for (String mappings :
        List.of(
            "[{smooth_layer: 're:.*norm', balance_layers: ['re:.*q', 're:.*k']}, {smooth_layer: u,"
                + " balance_layers: d}]",
            "[[['re:.*q', 're:.*k'], 're:.*norm'], [[d], u]]",
            "[['re:.*norm', ['re:.*q', 're:.*k']], [u, [d]]]",
            "[{balance_layers: ['re:.*q', 're:.*k'], smooth_layers: 're:.*norm',"
                + " activation_hook_target: null}, [[d], [u]]]")) {
      for (String kind : List.of("SmoothQuantModifier", "AWQModifier")) {
        Recipe recipe =
            parse(kind + ": {mappings: " + mappings + "}\nGPTQModifier: {scheme: W4A16}");
        assertThat(recipe.transforms().get(0).mappings()).as(mappings).isEqualTo(wanted);
        assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
        assertThat(recipe.digest())
            .isNotEqualTo(parse(kind + ": {}\nGPTQModifier: {scheme: W4A16}").digest());
      }
    }
  }

  /** Steps on the scales go by a block's output, which learning by layer does without. */
  @Test
  void byLayerThereAreStepsOnScalesWhereAskedFor() {
    Modifier m = lrq(", objective: layer");
    assertThat(LrqSettings.of(m).objective()).isEqualTo(LrqSettings.Objective.LAYER);
    assertThat(BlockwiseSettings.of(m).scaleIterations()).isZero();
    assertThat(lrq(", objective: layer, scale_iterations: 0")).isEqualTo(m);
    assertThat(ScaleSettings.of(lrq(", objective: layer, scale_iterations: 5, batch_size: 3")))
        .isEqualTo(new ScaleSettings(5, 3, 0));
    assertThat(ScaleSettings.of(lrq("")).iterations()).as("by block").isZero();
    Recipe recipe = new Recipe(List.of(m));
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
  }

  @Test
  void outliersBelongToTheWeights() {
    Recipe kept = parse("EasyQuantModifier: {scheme: W4A16, outliers: true}");
    Recipe usual = parse("EasyQuantModifier: {scheme: W4A16, outliers: false}");
    assertThat(usual).isEqualTo(parse("EasyQuantModifier: {scheme: W4A16}"));
    assertThat(kept.modifiers().get(0).groups())
        .containsExactly(new SchemeGroup(List.of("Linear"), W4.withOutliers(true)));
    assertThat(kept.canonical()).isNotEqualTo(usual.canonical());
    assertThat(kept.toYaml()).contains("scheme: W4A16\n", "outliers: true\n");
    assertThat(Recipe.parse("again", kept.toYaml())).isEqualTo(kept);
    assertThat(usual.toYaml()).doesNotContain("outliers");
  }

  /** Outputs of one recipe keep their bytes, recipe.yaml's too, when there are more keys. */
  @Test
  void newerKeysStandInATextOnlyWhereTheyAreNotTheDefault() {
    Recipe usual = parse("GPTQModifier: {scheme: W4A16}");
    Recipe named = parse("GPTQModifier: {scheme: W4A16, descent_rounds: 2, descent_sweeps: 2}");
    assertThat(named).isEqualTo(usual);
    assertThat(named.toYaml()).isEqualTo(usual.toYaml()).doesNotContain("descent");
    assertThat(named.canonical()).isEqualTo(usual.canonical());
    Recipe off = parse("GPTQModifier: {scheme: W4A16, descent_rounds: 0}");
    assertThat(off.toYaml()).contains("descent_rounds: 0");
    assertThat(off.canonical()).isNotEqualTo(usual.canonical());
    assertThat(Recipe.parse("again", off.toYaml())).isEqualTo(off);
  }

  /** FlexRound starts from GPTQ, as LRQ does; published: AutoRound's 200 of 1/200 fall evenly. */
  @Test
  void defaultsDifferByAlgorithm() {
    assertThat(BlockwiseSettings.of(parse("AutoRoundModifier: {scheme: W4A16}").modifiers().get(0)))
        .isEqualTo(
            new BlockwiseSettings(
                BlockwiseSettings.Order.SEQUENTIAL, 200, 0.005, 8, true, 0, 0, false, 0));
    assertThat(BlockwiseSettings.of(parse("FlexRoundModifier: {scheme: W4A16}").modifiers().get(0)))
        .isEqualTo(
            new BlockwiseSettings(
                BlockwiseSettings.Order.SEQUENTIAL, 500, 3e-3, 2, true, 0, 100, true, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "0,4096,4096,1024",
    "0,2048,512,128",
    "0,64,172,16",
    "16,64,8,8",
    "2000,4096,4096,2000"
  })
  void rankIsResolvedPerLinear(int rank, int out, int in, int expected) {
    assertThat(LrqSettings.of(lrq(", rank: " + rank)).rank(out, in)).isEqualTo(expected);
  }

  /** The forms in which recipes of llm-compressor lie around, old and new. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "quant_stage: {quant_modifiers: {GPTQModifier: {scheme: W4A16, targets: Linear}}}",
        "DEFAULT_stage: {DEFAULT_modifiers: {GPTQModifier: {scheme: W4A16, targets: [Linear]}}}",
        "default_stage: {default_modifiers: {GPTQModifier: {scheme: {W4A16: [Linear]}}}}",
        "quant_modifiers: {GPTQModifier: {scheme: W4A16, group: quant}}",
        "quant_modifiers: [{GPTQModifier: {scheme: W4A16, offload_hessians: false}}]",
        "modifiers: [GPTQModifier: {scheme: W4A16, actorder: null}]",
        "GPTQModifier: {scheme: W4A16, kv_cache_scheme: null}",
        "[{GPTQModifier: {scheme: W4A16, config_groups: null, group_size: 128}}]",
        "{\"args\": {}, \"GPTQModifier\": {\"scheme\": \"W4A16\", \"sequential_update\": true}}",
        """
        quant_stage:
          quant_modifiers:
            GPTQModifier:
              ignore: [lm_head]
              targets: Linear
              config_groups:
                config_group:
                  targets: [Linear]
                  input_activations: null
                  output_activations: null
                  weights: {num_bits: 4, type: int, symmetric: true, group_size: 128,
                    strategy: group, dynamic: false, actorder: null, block_structure: null,
                    observer: minmax, observer_kwargs: {}}
        """
      })
  void formsOfTheSameRecipe(String yaml) {
    assertThat(parse(yaml))
        .isEqualTo(Recipe.of("gptq", "W4A16", OptionalInt.empty(), List.of(), List.of(), 0));
  }

  /** compressed-tensors' words and their aliases, beside the scheme or in the groups' weights. */
  @ParameterizedTest
  @CsvSource({
    "static,STATIC",
    "weight,STATIC",
    "Static,STATIC",
    "group,GROUP",
    "dynamic,GROUP",
    "true,GROUP",
    "false,NONE",
    "null,NONE"
  })
  void ordersOfColumns(String word, ActOrder order) {
    Recipe beside = parse("GPTQModifier: {scheme: W4A16, group_size: 32, actorder: " + word + "}");
    Recipe within =
        parse(
            "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4,"
                + " group_size: 32, actorder: "
                + word
                + "}}}}");
    assertThat(beside.modifiers().get(0).groups())
        .containsExactly(
            new SchemeGroup(List.of("Linear"), new WeightScheme(4, true, 32).withOrder(order)));
    assertThat(within).isEqualTo(beside);
    assertThat(within.canonical()).isEqualTo(beside.canonical());
    assertThat(Recipe.parse("again", beside.toYaml())).isEqualTo(beside);
    Recipe without = parse("GPTQModifier: {scheme: W4A16, group_size: 32}");
    assertThat(without.equals(beside)).isEqualTo(order == ActOrder.NONE);
    assertThat(without.canonical().equals(beside.canonical())).isEqualTo(order == ActOrder.NONE);
  }

  @Test
  void anMseObserverSearchesTheStep() {
    String groups =
        "config_groups: {g: {targets: [Linear], weights: {num_bits: 4, group_size: 128, observer:"
            + " mse}}}";
    assertThat(parse("QuantizationModifier: {" + groups + "}").modifiers())
        .isEqualTo(parse("QuantizationModifier: {scheme: W4A16, step_search: true}").modifiers());
    assertThatThrownBy(() -> parse("GPTQModifier: {step_search: false, " + groups + "}"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("contradict");
  }

  @Test
  void theFirstGroupThatMatchesWinsAndIgnoreNarrows() {
    Recipe recipe =
        parse(
            """
            GPTQModifier:
              ignore: [lm_head, 're:model\\.layers\\.0\\.mlp']
              config_groups:
                a:
                  targets: ['re:.*down_proj$']
                  weights: {num_bits: 8, strategy: channel}
                b:
                  targets: ['re:.*mlp', 're:.*q_proj$']
                  weights: {num_bits: 4, group_size: 32}
            QuantizationModifier:
              scheme: W2A16
              targets: ['re:.*proj$']
            """);
    assertThat(chosen(recipe, "model.layers.1.mlp.down_proj")).isEqualTo("gptq 8 0");
    assertThat(chosen(recipe, "model.layers.1.mlp.up_proj")).isEqualTo("gptq 4 32");
    assertThat(chosen(recipe, "model.layers.0.mlp.up_proj")).isEqualTo("rtn 2 128");
    assertThat(chosen(recipe, "model.layers.0.self_attn.k_proj")).isEqualTo("rtn 2 128");
    assertThat(recipe.choose("lm_head", "Linear")).isEmpty();
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
  }

  private static String chosen(Recipe recipe, String module) {
    Recipe.Choice choice = recipe.choose(module, "Linear").orElseThrow();
    return choice.modifier().kind().algorithm()
        + " "
        + choice.group().weights().bits()
        + " "
        + choice.group().weights().groupSize();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "LRQModifier: {scheme: W4A16, iteration: 5}|r.yaml: LRQModifier: unknown key 'iteration',"
            + " the nearest is iterations",
        "GPTQModifier: {scheme: W4A16, rank: 5}|r.yaml: GPTQModifier: unknown key 'rank'",
        "AutoRoundModifier: {scheme: W4A16, iters: 0}|AutoRoundModifier.iters is 0, want an integer"
            + " of at least 1",
        "AutoRoundModifier: {scheme: W4A16, iters: 5, iterations: 5}|both iterations and iters,"
            + " which mean the same",
        "a_stage: {run_type: train, GPTQModifier: {scheme: W4A16}}|r.yaml: a_stage.run_type is"
            + " \"train\", want oneshot",
        "SparseGPTModifier: {sparsity: 0.5}|r.yaml: SparseGPTModifier sets weights to zero, and"
            + " pruning is not supported yet",
        "QuantizationModifier: {scheme: W4A16, targets: [Embedding]}|embeddings stay as they are",
        "QuantizationModifier: {scheme: W4A16, weight_observer: imatrix}|weight_observer is"
            + " \"imatrix\", want minmax or",
        "QuantizationModifier: {scheme: W4A16, observer: {weight:"
            + " mse}}|QuantizationModifier.observer: unknown key 'weight', the nearest is weights",
        "GPTQModifier: {scheme: W4A16, observer: {weights: mse}, weight_observer: mse}|both"
            + " observer and weight_observer",
        "GPTQModifier: {scheme: W4A16, weight_observer: mse, step_search: false}|observer mse and"
            + " step_search false contradict each other",
        "QuantizationModifier: {scheme: W4A16, bypass_divisibility_checks:"
            + " true}|bypass_divisibility_checks is true, want false only",
        "AWQModifier: {mappings: [], scheme: W4A16}|AWQModifier.mappings is [], want null, or a"
            + " list of",
        "AWQModifier: {mappings: [{smooth_layer: a}], scheme: W4A16}|AWQModifier.mappings[0] is"
            + " {\"smooth_layer\":\"a\"}, want one layer that makes the inputs",
        "AWQModifier: {mappings: [{smooth_layer: 're:(', balance_layers: [b]}], scheme:"
            + " W4A16}|target 're:(' is no regular expression",
        "AWQModifier: {mappings: [{smooth_layer: a, balance_layers: [b], activation_hook_target:"
            + " mlp}], scheme: W4A16}|activation_hook_target is \"mlp\", want null",
        "LRQModifier: {scheme: W4A16, iterations: many}|r.yaml: LRQModifier.iterations is \"many\","
            + " want an integer of at least 1",
        "LRQModifier: {scheme: W4A16, iterations: 0}|r.yaml: LRQModifier.iterations is 0, want an"
            + " integer of at least 1",
        "LRQModifier: {scheme: W4A16, rank: 1.5}|r.yaml: LRQModifier.rank is 1.5, want an integer"
            + " of at least 0",
        "LRQModifier: {scheme: W4A16, step_search: 1}|r.yaml: LRQModifier.step_search is 1, want"
            + " true or false",
        "LRQModifier: {scheme: W4A16, alpha: [1]}|r.yaml: LRQModifier.alpha is [1], want a number"
            + " from 0.0 to 1.0",
        "LRQModifier: {scheme: W4A16, objective: channel}|r.yaml: LRQModifier.objective is"
            + " \"channel\", want block or layer",
        "GPTQModifier: {scheme: W4A16, actorder: group, scale_iterations: 5}|r.yaml: GPTQModifier:"
            + " actorder is group, want static or null with scale_iterations",
        "GPTQModifier: {scheme: W4A16, descent_rounds: -1}|r.yaml: GPTQModifier.descent_rounds is"
            + " -1, want an integer of at least 0",
        "LRQModifier: {scheme: W4A16, touch_up: -1}|r.yaml: LRQModifier.touch_up is -1, want an"
            + " integer of at least 0",
        "LRQModifier: {scheme: W4A61}|r.yaml: LRQModifier: unknown scheme 'W4A61', the nearest is"
            + " W4A16;",
        "LRQModifier: {scheme: NVFP4}|r.yaml: LRQModifier: scheme NVFP4 is not supported yet;",
        "LRQModifier: {scheme: NVFP4A16}|LRQModifier: scheme NVFP4A16 has floating-point numbers,"
            + " which lie further apart the larger they are",
        "LRQModifier: {scheme: FP8}|LRQModifier: scheme FP8 has floating-point numbers, which lie"
            + " further apart the larger they are",
        "GPTQModifier: {scheme: FP8_DYNAMIC, actorder: static}|GPTQModifier: scheme FP8_DYNAMIC has"
            + " floating-point numbers",
        "EasyQuantModifier: {scheme: FP8_BLOCK, outliers: true}|EasyQuantModifier: scheme FP8_BLOCK"
            + " has floating-point numbers",
        "QuantizationModifier: {scheme: FP8, step_search: true}|QuantizationModifier.step_search is"
            + " true, want false for FP8",
        "QuantizationModifier: {scheme: FP8, group_size: 128}|scheme FP8 has scales of its own"
            + " kind, per tensor; leave the group size out",
        "[{AWQModifier: {}}, {QuantizationModifier: {scheme: FP8}}]|AWQModifier: its scales are"
            + " chosen for integers, not for FP8",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {type: float,"
            + " strategy: block}}}}|weights.block_structure is nothing, want [128, 128]",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {type: float,"
            + " strategy: block, block_structure: [64, 64]}}}}|weights.block_structure is [64,64],"
            + " want [128, 128]",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {type: float,"
            + " strategy: group, group_size: 32}}}}|weights.group_size is 32, want null for type"
            + " float",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {type: float,"
            + " symmetric: false}}}}|weights.symmetric is false, want true for type float",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {type: float,"
            + " strategy: channel}, input_activations: {strategy: token, dynamic:"
            + " true}}}}|input_activations.type is int, want that of the weights",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {type: float,"
            + " strategy: channel}, input_activations: {type: float, strategy: group, group_size:"
            + " 64, dynamic: true}}}}|input_activations.group_size is 64, want 128",
        "LRQModifier: {scheme: W4A16, config_groups: {}}|both scheme and config_groups",
        "LRQModifier: {rank: 4}|neither scheme nor config_groups",
        "LRQModifier: {scheme: W4A16, targets: 4}|r.yaml: LRQModifier.targets is 4, want a list of"
            + " strings",
        "LRQModifier: {scheme: W4A16, group_size: 0}|r.yaml: LRQModifier.group_size is 0, want an"
            + " integer of at least 1, or channel",
        "LRQModifier: {scheme: W4A16, ignore: ['re:(']}|r.yaml: LRQModifier: target 're:(' is no"
            + " regular expression",
        "GPTQModifier: {scheme: W4A16, actorder: up}|r.yaml: GPTQModifier.actorder is \"up\", want"
            + " static (or weight), group",
        "QuantizationModifier: {scheme: W4A16, actorder: static}|QuantizationModifier: unknown key"
            + " 'actorder'",
        "GPTQModifier: {scheme: W4A16, group_size: channel, actorder: group}|r.yaml: GPTQModifier:"
            + " actorder is group, want static or null per channel",
        "GPTQModifier: {scheme: W4A8, actorder: group}|actorder is group, want static or null with"
            + " input_activations",
        "LRQModifier: {scheme: W4A16, actorder: group}|r.yaml: LRQModifier: actorder is group, want"
            + " static or null:",
        "LRQModifier: {scheme: W4A16, init: rtn, actorder: static}|actorder is static, want null"
            + " with init rtn",
        "LRQModifier: {scheme: W4A16, objective: layer, actorder: static}|actorder is static, want"
            + " null with objective layer",
        "AWQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4, group_size:"
            + " 32, actorder: weight}}}}|r.yaml: AWQModifier: actorder is static, want null: only"
            + " GPTQ",
        "GPTQModifier: {actorder: group, config_groups: {g: {targets: [Linear], weights: {num_bits:"
            + " 4, group_size: 32, actorder: weight}}}}|GPTQModifier.actorder is group, and weights"
            + " of a config group have static",
        "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4, group_size:"
            + " 32, actorder: 3}}}}|config_groups.g.weights.actorder is 3, want static",
        "LRQModifer: {scheme: W4A16}|r.yaml: unknown modifier 'LRQModifer', the nearest is"
            + " LRQModifier;",
        "EasyQuantModifier: {scheme: W8A8, outliers: true}|r.yaml: EasyQuantModifier.outliers is"
            + " true, want false with quantized inputs",
        "QuantizationModifier: {scheme: W4A16, outliers: true}|r.yaml: QuantizationModifier:"
            + " unknown key 'outliers'",
        "EasyQuantModifier: {scheme: W4A16, step_search: true}|r.yaml: EasyQuantModifier: unknown"
            + " key 'step_search'",
        "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bit: 4}}}}|r.yaml:"
            + " GPTQModifier: config_groups.g.weights: unknown key 'num_bit', the nearest is"
            + " num_bits",
        "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4, type:"
            + " float}}}}|config_groups.g.weights.group_size is nothing, want 32 for strategy group"
            + " of type float",
        "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4, strategy:"
            + " tensor}}}}|GPTQModifier: one scale for a whole weight (strategy tensor) is only"
            + " rounded to, and GPTQModifier finds scales row by row",
        "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4, strategy:"
            + " block}}}}|config_groups.g.weights.strategy is \"block\", want tensor, channel or"
            + " group",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 8,"
            + " strategy: tensor, symmetric: false}}}}|weights.symmetric is false, want true for"
            + " strategy tensor",
        "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 8,"
            + " observer: mse}}}}|step_search is true, want false for strategy tensor",
        "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 4, strategy:"
            + " group}}}}|config_groups.g.weights.group_size is nothing, want an integer of at"
            + " least 1",
        "GPTQModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 5, strategy:"
            + " channel}}}}|config_groups.g.weights.num_bits is 5, want 2, 3, 4 or 8",
        "GPTQModifier: {config_groups: {g: {weights: {num_bits: 8, strategy:"
            + " channel}}}}|config_groups.g.targets is nothing, want a list",
        "SmoothQuantModifier: {}|r.yaml: SmoothQuantModifier quantizes nothing by itself",
        "AWQModifier: {n_grid: 5}|r.yaml: AWQModifier quantizes nothing by itself",
        "[{GPTQModifier: {scheme: W4A16}}, {SmoothQuantModifier: {}}]|r.yaml: SmoothQuantModifier"
            + " stands after",
        "SmoothQuantModifier: {scheme: W8A16}|r.yaml: SmoothQuantModifier: unknown key 'scheme'",
        "GPTQModifier: 7|r.yaml: GPTQModifier is 7, want keys and values",
        "GPTQModifier: {scheme: W4A16, scheme: W8A16}|r.yaml, line 1",
        "'GPTQModifier: {scheme'|r.yaml, line 1",
        "{}|r.yaml: no modifier in it",
        "''|r.yaml"
      })
  void mistakesAreNamed(String yaml, String message) {
    assertThatThrownBy(() -> parse(yaml))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  @Test
  void stepsByTheEndLossStandLastAndKnowIntegersAlone() {
    String coupled = "- CoupledModifier: {scheme: W4A16}\n";
    Recipe tuned = parse(coupled + "- EndToEndModifier: {iterations: 7, integers: 0.1}");
    assertThat(tuned.tuning()).contains(new EndToEndSettings(7, 16, 5e-3, 0.125, 0.1, 0, 3, 0));
    assertThat(parse(tuned.toYaml())).isEqualTo(tuned);
    Recipe given = parse(coupled).withTuning(20, 5);
    assertThat(parse(given.toYaml())).isEqualTo(given);
    assertThatThrownBy(() -> parse("- EndToEndModifier: {}\n" + coupled))
        .hasMessageContaining("CoupledModifier stands behind EndToEndModifier");
    assertThatThrownBy(() -> parse("- QuantizationModifier: {scheme: FP8}\n- EndToEndModifier: {}"))
        .hasMessageContaining("floating-point weights");
    assertThatThrownBy(
            () -> parse("- GPTQModifier: {scheme: W4A16}\n- EndToEndModifier: {integers: 0.1}"))
        .hasMessageContaining("want CoupledModifier before it");
    assertThatThrownBy(() -> parse("EndToEndModifier: {}"))
        .hasMessageContaining("quantizes nothing by itself");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rtn",
        "easyquant",
        "gptq",
        "coupled",
        "lrq",
        "smoothquant",
        "awq",
        "flexround",
        "autoround"
      })
  void yamlReadsBackEqual(String algorithm) {
    for (String scheme : Schemes.supported()) {
      if (scheme.contains("FP")) {
        continue;
      }
      for (int size : new int[] {0, 32, 128}) {
        readsBackEqual(algorithm, scheme, OptionalInt.of(size));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"FP8", "FP8_DYNAMIC", "FP8_BLOCK", "MXFP4A16", "NVFP4A16"})
  void yamlOfFloatsReadsBackEqual(String scheme) {
    readsBackEqual("rtn", scheme, OptionalInt.empty());
    readsBackEqual("smoothquant", scheme, OptionalInt.empty());
    String two =
        "QuantizationModifier: {config_groups: {a: {targets: [x], weights: {type: float, strategy:"
            + " block, block_structure: [128, 128]}, input_activations: {type: float, strategy:"
            + " group, group_size: 128, dynamic: true}}, b: {targets: [Linear], weights: {type:"
            + " float}}}}";
    Recipe recipe = Recipe.parse("r", two);
    assertThat(recipe.modifiers().get(0).groups())
        .extracting(SchemeGroup::schemeName)
        .containsExactly("FP8_BLOCK", "FP8_TENSOR_A16");
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
  }

  private static void readsBackEqual(String algorithm, String scheme, OptionalInt size) {
    Recipe recipe =
        Recipe.of(
            algorithm,
            scheme,
            size,
            List.of("re:.*\\.q_proj$", "no", "a: 'b' \"c\" #d"),
            List.of("lm_head", "true", "re:^x{2,}$"),
            -3);
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
  }

  @Test
  void canonicalFormTellsRecipesApartAndForgetsTheirSpelling() {
    assertThat(parse("LRQModifier: {scheme: W4A16, learning_rate: 1e-3, seed: 0}").canonical())
        .isEqualTo(
            "[{\"alpha\":0.5,\"batch_size\":2,\"block_size\":128,\"dampening_frac\":0.01,\"damping\":0.1,"
                + "\"groups\":[{\"bits\":4,\"group_size\":128,\"symmetric\":true,\"targets\":[\"Linear\"]}],"
                + "\"ignore\":[\"lm_head\"],\"init\":\"gptq\",\"iterations\":500,\"keep_best\":true,"
                + "\"learning_rate\":0.001,\"modifier\":\"LRQModifier\",\"objective\":\"block\","
                + "\"order\":\"sequential\",\"rank\":0,\"scale_iterations\":100,\"seed\":0,\"step_search\":true,\"touch_up\":0,"
                + "\"true_sequential\":true}]");
    assertThat(parse("LRQModifier: {scheme: W4A16, seed: 1}").digest())
        .hasSize(64)
        .isNotEqualTo(parse("LRQModifier: {scheme: W4A16}").digest());
  }

  @Test
  void stepsOnScalesOfGptqAreShownWhereThereAreAny() {
    assertThat(parse("GPTQModifier: {scheme: W4A16}").toYaml())
        .doesNotContain("scale_iterations", "batch_size");
    Recipe recipe = parse("GPTQModifier: {scheme: W4A16, scale_iterations: 30}");
    assertThat(recipe.toYaml()).contains("scale_iterations: 30\n");
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
  }

  /** As llm-compressor's users write it: scales first, then another algorithm's integers. */
  @Test
  void transformsStandBeforeWhatQuantizes() {
    Recipe recipe =
        parse(
            """
            quant_stage:
              quant_modifiers:
                SmoothQuantModifier: {smoothing_strength: 0.8}
                AWQModifier: {n_grid: 10, duo_scaling: true}
                GPTQModifier: {scheme: W4A16, ignore: [lm_head]}
            """);
    assertThat(recipe.transforms()).hasSize(2);
    assertThat(SmoothQuantSettings.of(recipe.transforms().get(0)).strength()).isEqualTo(0.8);
    assertThat(AwqSettings.of(recipe.transforms().get(1))).isEqualTo(new AwqSettings(10, false));
    assertThat(chosen(recipe, "model.layers.0.mlp.up_proj")).isEqualTo("gptq 4 128");
    assertThat(Recipe.parse("again", recipe.toYaml())).isEqualTo(recipe);
    Recipe alone = parse("AWQModifier: {scheme: W4A16_ASYM}");
    assertThat(AwqSettings.of(alone.transforms().get(0)).clip()).isTrue();
    assertThat(chosen(alone, "model.layers.0.mlp.up_proj")).isEqualTo("awq 4 128");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gptq", "lrq"})
  void aSeedFromTheCommandLineReplacesTheRecipes(String algorithm) {
    Recipe one = Recipe.of(algorithm, "W3A16", OptionalInt.of(32), List.of("a"), List.of("b"), 1);
    Recipe two = Recipe.of(algorithm, "W3A16", OptionalInt.of(32), List.of("a"), List.of("b"), 2);
    assertThat(one.withSeed(2)).isEqualTo(two).isNotEqualTo(one);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "RTN: &a [x]¶B: *a | line 2: alias *a",
        "quant_stage:¶ !quant_modifiers:¶  GPTQModifier: {scheme: W4A16} | line 2: tag"
            + " !quant_modifiers:",
        "GPTQModifier: {scheme: !x W4A16} | line 1: tag !x",
        "!y GPTQModifier: {scheme: W4A16} | line 1: tag !y",
        "GPTQModifier: {scheme: W4A16, ignore: !!set [a]} | line 1: tag tag:yaml.org,2002:set",
        "GPTQModifier: {scheme: W4A16}¶---¶LRQModifier: {scheme: W4A16} | line 3: a second"
            + " document",
        "GPTQModifier: {scheme: W4A16, ignore: [\"\\ud800\"]} | half a surrogate pair",
        "GPTQModifier: {scheme: {W4A16: [Linear], W8A16: []}} | scheme.W8A16 is [], want a list of"
            + " at least one target",
        "GPTQModifier: {scheme: W4A16, \"a\\nb\": 1} | unknown key 'a%0ab'",
      })
  void whatYamlWouldReadAsSomethingElseIsRefused(String yaml, String message) {
    assertThatThrownBy(() -> parse(yaml.replace('¶', '\n')))
        .isInstanceOf(UsageException.class)
        .hasMessageStartingWith("r.yaml")
        .hasMessageContaining(message);
  }

  @Test
  void numbersOfManyDigitsAreRefusedAtOnce() {
    assertThatThrownBy(() -> lrq(", iterations: \"" + "1".repeat(1_000_000) + "\""))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("iterations");
  }

  @Test
  void namesOfAnyCharactersAreWrittenSoThatTheyCanBeRead() {
    Recipe recipe =
        parse("GPTQModifier: {scheme: W4A16, ignore: [\"a\\u007f\\u009b\\ufeff\\ufffe\\u2028\"]}");
    assertThat(recipe.modifiers().get(0).ignore())
        .containsExactly("a\u007f\u009b\ufeff\ufffe\u2028");
    assertThat(parse(recipe.toYaml())).isEqualTo(recipe);
  }
}
