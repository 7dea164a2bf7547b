package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeType;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The values that a setting takes. */
sealed interface Domain {
  /** Characters of the longest number that is read: any double takes fewer. */
  int MOST_DIGITS = 1100;

  /** What is wanted, in words that follow "want" in a message and fill a table's column. */
  String wanted();

  /** The node as a value of this domain, or empty where it is none. */
  Optional<Object> read(JsonNode node);

  /** Whole numbers in [least, most]. */
  record Whole(long least, long most) implements Domain {
    @Override
    public String wanted() {
      if (most == least) {
        return least + " only (others are not supported yet)";
      }
      return most == Long.MAX_VALUE && least == Long.MIN_VALUE
          ? "an integer"
          : "an integer of at least " + least;
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      return number(node)
          .filter(n -> n.stripTrailingZeros().scale() <= 0)
          .filter(n -> n.compareTo(BigDecimal.valueOf(least)) >= 0)
          .filter(n -> n.compareTo(BigDecimal.valueOf(most)) <= 0)
          .map(BigDecimal::longValueExact);
    }
  }

  /** Real numbers in [least, most]. */
  record Real(double least, double most) implements Domain {
    @Override
    public String wanted() {
      return "a number from " + Decimals.text(least) + " to " + Decimals.text(most);
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      return number(node)
          .map(BigDecimal::doubleValue)
          .filter(d -> d >= least && d <= most)
          .map(d -> d);
    }
  }

  /** true and false. */
  record Flag() implements Domain {
    @Override
    public String wanted() {
      return "true or false";
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      return node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty();
    }
  }

  /** One of true and false only. */
  record Fixed(boolean only) implements Domain {
    @Override
    public String wanted() {
      return only + " only (" + !only + " is not supported yet)";
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      return node.isBoolean() && node.booleanValue() == only ? Optional.of(only) : Optional.empty();
    }
  }

  /** One of a few words; {@code refused} are known elsewhere and named in the message. */
  record Choice(List<String> words, List<String> refused) implements Domain {
    @Override
    public String wanted() {
      return String.join(" or ", words)
          + (refused.isEmpty() ? "" : " (not supported yet: " + String.join(", ", refused) + ")");
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      return Optional.of(node)
          .filter(JsonNode::isTextual)
          .map(JsonNode::asText)
          .filter(words::contains)
          .map(w -> w);
    }
  }

  /** A list of strings; a single string is a list of one. */
  record Names() implements Domain {
    @Override
    public String wanted() {
      return "a list of strings";
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      List<String> names = new ArrayList<>();
      if (node.isTextual()) {
        names.add(node.asText());
      } else if (!node.isArray()) {
        return Optional.empty();
      }
      for (JsonNode element : node) {
        if (!element.isTextual()) {
          return Optional.empty();
        }
        names.add(element.asText());
      }
      return Optional.of(List.copyOf(names));
    }
  }

  /** null, and nothing else for now. */
  record Nothing() implements Domain {
    @Override
    public String wanted() {
      return "null only (other values are not supported yet)";
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      return node.isNull() ? Optional.of("null") : Optional.empty();
    }
  }

  /** compressed-tensors' words for an order of columns, and what it takes true and false for. */
  record Order() implements Domain {
    @Override
    public String wanted() {
      return "static (or weight), group (or dynamic) or null";
    }

    @Override
    public Optional<Object> read(JsonNode node) {
      if (node.isBoolean()) {
        return Optional.of(node.booleanValue() ? ActOrder.GROUP : ActOrder.NONE);
      }
      return switch (node.asText().toLowerCase(Locale.ROOT)) {
        case "static", "weight" -> Optional.of(ActOrder.STATIC);
        case "group", "dynamic" -> Optional.of(ActOrder.GROUP);
        default -> Optional.empty();
      };
    }
  }

  /** Anything: other code reads it, or it has no meaning here. */
  record Anything(String wanted) implements Domain {
    @Override
    public Optional<Object> read(JsonNode node) {
      return Optional.of(node);
    }
  }

  /** Numbers, also where YAML 1.1 takes them for strings: 1e-3 has no point in it. */
  private static Optional<BigDecimal> number(JsonNode node) {
    if (node.getNodeType() != JsonNodeType.NUMBER && !node.isTextual()) {
      return Optional.empty();
    }
    String text = node.asText().strip();
    if (text.length() > MOST_DIGITS) {
      return Optional.empty();
    }
    try {
      return Optional.of(new BigDecimal(text));
    } catch (NumberFormatException notANumber) {
      return Optional.empty();
    }
  }
}
