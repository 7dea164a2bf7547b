package io.shardpress.schemas.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * A recipe read a second time: by SnakeYAML's own loader, which knows YAML 1.1's anchors, types and
 * documents, and then key by key. For recipes that were accepted.
 */
final class RecipeOracle {
  private static final Map<String, String> SCHEMES = Map.of("W8A8", "W8", "W8A8_STATIC", "W8");

  private final List<Map.Entry<String, Map<?, ?>>> modifiers = new ArrayList<>();

  RecipeOracle(String yaml) {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    options.setNestingDepthLimit(2000);
    Iterator<Object> documents = new Yaml(new SafeConstructor(options)).loadAll(yaml).iterator();
    gather(documents.next());
    assertThat(documents.hasNext()).as("a second document").isFalse();
  }

  private void gather(Object node) {
    if (node instanceof List<?> list) {
      list.forEach(this::gather);
      return;
    }
    for (Map.Entry<?, ?> entry : ((Map<?, ?>) node).entrySet()) {
      String key = String.valueOf(entry.getKey());
      if (key.endsWith("_stage") || key.endsWith("_modifiers") || key.equals("modifiers")) {
        gather(entry.getValue());
      } else if (!key.equals("args")) {
        Map<?, ?> keys = entry.getValue() == null ? Map.of() : (Map<?, ?>) entry.getValue();
        modifiers.add(Map.entry(key, keys));
      }
    }
  }

  void check(Recipe recipe) {
    assertThat(recipe.modifiers()).hasSameSizeAs(modifiers);
    for (int i = 0; i < modifiers.size(); i++) {
      Modifier found = recipe.modifiers().get(i);
      assertThat(found.kind().modifier()).isEqualTo(modifiers.get(i).getKey());
      Map<?, ?> wanted = modifiers.get(i).getValue();
      settings(found, wanted);
      if (wanted.get("ignore") != null) {
        assertThat(found.ignore()).isEqualTo(names(wanted.get("ignore")));
      } else if (found.kind().modifier().equals("EndToEndModifier")) {
        // It has no linears of its own.
        assertThat(found.ignore()).isEmpty();
      } else {
        assertThat(found.ignore()).containsExactly("lm_head");
      }
      if (wanted.get("actorder") != null) {
        ActOrder order = order(wanted.get("actorder"));
        assertThat(found.groups()).allMatch(group -> group.weights().order() == order);
      }
      if (wanted.get("config_groups") instanceof Map<?, ?> groups) {
        configGroups(found, groups);
      } else if (wanted.get("scheme") != null && !found.groups().isEmpty()) {
        schemes(found, wanted);
      }
    }
  }

  private static void settings(Modifier found, Map<?, ?> wanted) {
    for (Map.Entry<String, Object> setting : found.settings().entrySet()) {
      String key = setting.getKey();
      Object value = wanted.get(key);
      if (value != null) {
        if (setting.getValue() instanceof Number number) {
          assertThat(number.doubleValue())
              .as(key)
              .isEqualTo(new BigDecimal(String.valueOf(value).strip()).doubleValue());
        } else {
          assertThat(setting.getValue()).as(key).isEqualTo(value);
        }
      } else if (key.equals("scale_iterations") && "layer".equals(wanted.get("objective"))) {
        assertThat(setting.getValue()).as(key).isEqualTo(0L);
      } else if (!key.equals("step_search")) {
        assertThat(setting.getValue()).as(key).isEqualTo(defaults(found.kind()).get(key));
      }
    }
  }

  private static Map<String, Object> defaults(ModifierKind kind) {
    Map<String, Object> defaults = new TreeMap<>();
    for (SettingKey key : SettingKey.of(kind)) {
      defaults.put(key.key(), key.standard(kind));
    }
    return defaults;
  }

  private static void schemes(Modifier found, Map<?, ?> wanted) {
    if (wanted.get("scheme") instanceof Map<?, ?> byName) {
      assertThat(found.groups()).hasSameSizeAs(byName.entrySet());
      int i = 0;
      for (Map.Entry<?, ?> entry : byName.entrySet()) {
        scheme(found.groups().get(i), (String) entry.getKey(), wanted.get("group_size"));
        assertThat(found.groups().get(i++).targets()).isEqualTo(names(entry.getValue()));
      }
      return;
    }
    assertThat(found.groups()).hasSize(1);
    SchemeGroup group = found.groups().get(0);
    scheme(group, (String) wanted.get("scheme"), wanted.get("group_size"));
    assertThat(group.targets())
        .isEqualTo(
            wanted.get("targets") == null ? List.of("Linear") : names(wanted.get("targets")));
  }

  private static void scheme(SchemeGroup found, String name, Object groupSize) {
    boolean fp8 = name.startsWith("FP8");
    assertThat(found.weights().floating()).isEqualTo(fp8);
    assertThat(found.weights().bits()).isEqualTo(fp8 ? 8 : name.charAt(1) - '0');
    assertThat(found.weights().symmetric()).isEqualTo(!name.endsWith("_ASYM"));
    assertThat(found.activations() != null).isEqualTo(!name.contains("A16"));
    boolean whole = SCHEMES.containsKey(name) || name.equals("FP8") || name.equals("FP8_DYNAMIC");
    int standard = whole ? 0 : 128;
    assertThat(found.weights().groupSize()).isEqualTo(groupSize(groupSize, standard));
  }

  private static int groupSize(Object written, int otherwise) {
    if (written == null) {
      return otherwise;
    }
    String text = String.valueOf(written).strip();
    return text.equals("channel") || text.equals("-1") ? 0 : new BigDecimal(text).intValueExact();
  }

  private static void configGroups(Modifier found, Map<?, ?> groups) {
    assertThat(found.groups()).hasSameSizeAs(groups.entrySet());
    int i = 0;
    for (Object value : groups.values()) {
      Map<?, ?> group = (Map<?, ?>) value;
      SchemeGroup one = found.groups().get(i++);
      assertThat(one.targets()).isEqualTo(names(group.get("targets")));
      Map<?, ?> weights = (Map<?, ?>) group.get("weights");
      Object bits = weights.get("num_bits") == null ? 8 : weights.get("num_bits");
      assertThat(new BigDecimal(String.valueOf(bits).strip()))
          .isEqualByComparingTo(BigDecimal.valueOf(one.weights().bits()));
      Object symmetric = weights.get("symmetric");
      assertThat(one.weights().symmetric()).isEqualTo(symmetric == null || (boolean) symmetric);
      assertThat(one.weights().floating()).isEqualTo("float".equals(weights.get("type")));
      if (one.weights().floating()) {
        Object strategy = weights.get("strategy");
        assertThat(one.weights().form().strategy())
            .isEqualTo(strategy == null ? "tensor" : strategy);
        assertThat(one.weights().groupSize()).isEqualTo("block".equals(strategy) ? 128 : 0);
        continue;
      }
      assertThat(one.weights().groupSize())
          .isEqualTo(
              "channel".equals(weights.get("strategy"))
                  ? 0
                  : groupSize(weights.get("group_size"), 0));
      assertThat(one.activations() != null).isEqualTo(group.get("input_activations") != null);
    }
  }

  /** compressed-tensors' words for orders of columns; true is AutoGPTQ's desc_act. */
  private static ActOrder order(Object written) {
    return switch (String.valueOf(written).toLowerCase(Locale.ROOT)) {
      case "static", "weight" -> ActOrder.STATIC;
      case "true", "group", "dynamic" -> ActOrder.GROUP;
      default -> ActOrder.NONE;
    };
  }

  private static List<?> names(Object value) {
    return value instanceof List<?> list ? list : List.of(value);
  }
}
