package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.shardpress.schemas.UsageException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a recipe in the forms that people have: stages of groups of modifiers (what llm-compressor
 * writes), groups alone, modifiers alone, and each of them as a list.
 */
final class RecipeParser {
  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .build();

  private final String source;
  private final List<Modifier> modifiers = new ArrayList<>();

  private RecipeParser(String source) {
    this.source = source;
  }

  static Recipe parse(String source, String yaml) {
    JsonNode root;
    try {
      root = YAML.readTree(yaml);
    } catch (JsonProcessingException e) {
      String at =
          e.getLocation() == null
              ? ""
              : ", line "
                  + e.getLocation().getLineNr()
                  + ", column "
                  + e.getLocation().getColumnNr();
      String reason = e.getOriginalMessage().lines().findFirst().orElse("not readable");
      throw new UsageException(source + at + ": no YAML: " + reason, e);
    }
    RecipeParser parser = new RecipeParser(source);
    parser.read(root);
    if (parser.modifiers.isEmpty()) {
      throw new UsageException(
          source
              + ": no modifier in it; want quant_stage: {quant_modifiers: {LRQModifier: {scheme: W4A16}}}");
    }
    try {
      return new Recipe(parser.modifiers);
    } catch (UsageException e) {
      throw new UsageException(source + ": " + e.getMessage(), e);
    }
  }

  private void read(JsonNode node) {
    if (node.isArray()) {
      node.forEach(this::read);
      return;
    }
    if (!node.isObject()) {
      throw QuantizationArgs.wrong(source, node, "modifiers by name");
    }
    node.properties().forEach(entry -> entry(entry.getKey(), entry.getValue()));
  }

  private void entry(String key, JsonNode value) {
    if (key.equals("args") && value.isEmpty()) {
      return;
    }
    if (key.endsWith("_stage") || key.endsWith("_modifiers") || key.equals("modifiers")) {
      read(value);
    } else {
      modifiers.add(ModifierParser.parse(source, key, value));
    }
  }
}
