package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.shardpress.schemas.UsageException;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.events.CollectionStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.ScalarEvent;

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

  private static final String ONE_SHOT = "oneshot";

  private final String source;
  private final List<SchemeBefore.Entry> entries = new ArrayList<>();

  private RecipeParser(String source) {
    this.source = source;
  }

  static Recipe parse(String source, String yaml) {
    JsonNode root;
    try {
      root = tree(source, yaml);
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
    List<Modifier> modifiers =
        SchemeBefore.joined(parser.entries).stream()
            .map(entry -> ModifierParser.parse(source, entry.name(), entry.keys()))
            .toList();
    if (modifiers.isEmpty()) {
      throw new UsageException(
          source
              + ": no modifier in it; want quant_stage: {quant_modifiers: {LRQModifier: {scheme:"
              + " W4A16}}}");
    }
    try {
      return new Recipe(modifiers);
    } catch (UsageException e) {
      throw new UsageException(source + ": " + e.getMessage(), e);
    }
  }

  /** The one document of a file; what would be read as something else is refused. */
  private static JsonNode tree(String source, String yaml) throws JsonProcessingException {
    int depth = 0;
    boolean ended = false;
    try (YAMLParser parser = YAML.getFactory().createParser(yaml)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        String where = source + ", line " + parser.currentTokenLocation().getLineNr();
        if (ended) {
          throw new UsageException(where + ": a second document; want one recipe in a file");
        }
        if (parser.isCurrentAlias()) {
          throw new UsageException(
              where + ": alias *" + parser.getText() + "; write out what it stands for");
        }
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(parser.getText())) {
          throw new UsageException(where + ": half a surrogate pair, which no file can hold");
        }
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        ended = depth == 0;
      }
    } catch (JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException("text in memory is always readable", e);
    }
    refuseTags(source, yaml);
    return YAML.readTree(yaml);
  }

  /** Jackson reads what has a tag as if it had none, and does not tell a key's. */
  private static void refuseTags(String source, String yaml) {
    for (Event event : new Yaml().parse(new StringReader(yaml))) {
      String tag =
          event instanceof ScalarEvent scalar
              ? scalar.getTag()
              : event instanceof CollectionStartEvent start ? start.getTag() : null;
      if (tag != null) {
        throw new UsageException(
            String.format(
                Locale.ROOT,
                "%s, line %d: tag %s; values stand in recipes without tags",
                source,
                event.getStartMark().getLine() + 1,
                tag));
      }
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

  /** A stage also says what it is a stage of: of a run of its own, as here, or of training. */
  private void stage(String name, JsonNode node) {
    if (!node.isObject()) {
      read(node);
      return;
    }
    JsonNode runType = node.path("run_type");
    if (!runType.isMissingNode() && !runType.isNull() && !runType.asText().equals(ONE_SHOT)) {
      throw QuantizationArgs.wrong(
          source + ": " + name + ".run_type", runType, ONE_SHOT + ": nothing is trained here");
    }
    node.properties().stream()
        .filter(entry -> !entry.getKey().equals("run_type"))
        .forEach(entry -> entry(entry.getKey(), entry.getValue()));
  }

  private void entry(String key, JsonNode value) {
    if (key.equals("args") && value.isEmpty()) {
      return;
    }
    if (key.endsWith("_stage")) {
      stage(key, value);
    } else if (key.endsWith("_modifiers") || key.equals("modifiers")) {
      read(value);
    } else {
      entries.add(new SchemeBefore.Entry(key, value));
    }
  }
}
