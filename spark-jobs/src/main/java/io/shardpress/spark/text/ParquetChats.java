package io.shardpress.spark.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

/**
 * Rows of a .parquet whose columns hold conversations, as the JSON that they would be in .jsonl.
 */
final class ParquetChats {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private ParquetChats() {}

  /** The columns that a conversation may be in; empty: the file has none of them. */
  static Optional<MessageType> columns(MessageType schema, String field) {
    List<String> names = schema.getFields().stream().map(Type::getName).toList();
    List<String> wanted =
        field.equals(Documents.DEFAULT_FIELD)
            ? ChatRows.columns(names)
            : schema.containsField(field) && !schema.getType(field).isPrimitive()
                ? List.of(field)
                : List.of();
    List<Type> found =
        schema.getFields().stream().filter(type -> wanted.contains(type.getName())).toList();
    return found.isEmpty()
        ? Optional.empty()
        : Optional.of(new MessageType(schema.getName(), found));
  }

  /** A row, or a struct in one. */
  static ObjectNode object(Group group) {
    ObjectNode object = JSON.objectNode();
    GroupType type = group.getType();
    for (int field = 0; field < type.getFieldCount(); field++) {
      String name = type.getFieldName(field);
      int count = group.getFieldRepetitionCount(field);
      if (type.getType(field).isRepetition(Type.Repetition.REPEATED)) {
        ArrayNode array = object.putArray(name);
        for (int i = 0; i < count; i++) {
          array.add(value(group, field, i));
        }
      } else if (count > 0) {
        object.set(name, value(group, field, 0));
      }
    }
    return object;
  }

  private static JsonNode value(Group group, int field, int index) {
    Type type = group.getType().getType(field);
    if (!type.isPrimitive()) {
      Group inside = group.getGroup(field, index);
      boolean list =
          type.getLogicalTypeAnnotation()
              instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation;
      return list ? list(inside) : object(inside);
    }
    PrimitiveType primitive = type.asPrimitiveType();
    return switch (primitive.getPrimitiveTypeName()) {
      case BOOLEAN -> JSON.booleanNode(group.getBoolean(field, index));
      case INT32 -> JSON.numberNode(group.getInteger(field, index));
      case INT64 -> JSON.numberNode(group.getLong(field, index));
      case FLOAT -> JSON.numberNode(group.getFloat(field, index));
      case DOUBLE -> JSON.numberNode(group.getDouble(field, index));
      default -> JSON.textNode(group.getString(field, index));
    };
  }

  /** Parquet's lists: a repeated group around an optional element; older writers leave it out. */
  private static ArrayNode list(Group list) {
    ArrayNode array = JSON.arrayNode();
    Type repeated = list.getType().getType(0);
    int count = list.getFieldRepetitionCount(0);
    for (int i = 0; i < count; i++) {
      boolean around = !repeated.isPrimitive() && repeated.asGroupType().getFieldCount() == 1;
      if (!around) {
        array.add(value(list, 0, i));
        continue;
      }
      Group element = list.getGroup(0, i);
      array.add(element.getFieldRepetitionCount(0) == 0 ? JSON.nullNode() : value(element, 0, 0));
    }
    return array;
  }
}
