package io.shardpress.spark.datasource;

import io.shardpress.spark.datasource.TensorFilter.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.BinaryOperator;
import java.util.function.IntPredicate;
import org.apache.spark.sql.connector.expressions.Expression;
import org.apache.spark.sql.connector.expressions.Literal;
import org.apache.spark.sql.connector.expressions.NamedReference;
import org.apache.spark.sql.connector.expressions.filter.Predicate;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Spark's predicates as {@link TensorFilter}s, whole or not at all: what has no translation stays
 * with Spark. Strings compare by their bytes, as Spark's do; other collations are not translated.
 */
final class FilterTranslation {
  private FilterTranslation() {}

  static Optional<TensorFilter> of(Predicate predicate) {
    Expression[] children = predicate.children();
    return switch (predicate.name()) {
      case "ALWAYS_TRUE" -> Optional.of(fields -> Answer.YES);
      case "ALWAYS_FALSE" -> Optional.of(fields -> Answer.NO);
      case "AND" -> both(children, Answer::and);
      case "OR" -> both(children, Answer::or);
      case "NOT" -> nested(children[0]).map(inner -> fields -> inner.test(fields).not());
      case "IS_NULL" -> column(children[0]).map(name -> isNull(name, true));
      case "IS_NOT_NULL" -> column(children[0]).map(name -> isNull(name, false));
      case "=" -> comparison(children, order -> order == 0);
      case "<>" -> comparison(children, order -> order != 0);
      case "<" -> comparison(children, order -> order < 0);
      case "<=" -> comparison(children, order -> order <= 0);
      case ">" -> comparison(children, order -> order > 0);
      case ">=" -> comparison(children, order -> order >= 0);
      case "STARTS_WITH" -> text(children, UTF8String::startsWith);
      case "ENDS_WITH" -> text(children, UTF8String::endsWith);
      case "CONTAINS" -> text(children, UTF8String::contains);
      case "IN" -> in(children);
      default -> Optional.empty();
    };
  }

  private static Optional<TensorFilter> nested(Expression expression) {
    return expression instanceof Predicate predicate ? of(predicate) : Optional.empty();
  }

  private static Optional<TensorFilter> both(
      Expression[] children, BinaryOperator<Answer> connective) {
    Optional<TensorFilter> left = nested(children[0]);
    Optional<TensorFilter> right = nested(children[1]);
    if (left.isEmpty() || right.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        fields -> connective.apply(left.get().test(fields), right.get().test(fields)));
  }

  private static TensorFilter isNull(String column, boolean wanted) {
    return fields -> Answer.of(fields.value(column).isEmpty() == wanted);
  }

  private static Optional<TensorFilter> comparison(Expression[] children, IntPredicate order) {
    Optional<TensorFilter> asWritten = comparison(children[0], children[1], order);
    return asWritten.isPresent()
        ? asWritten
        : comparison(children[1], children[0], swapped -> order.test(-swapped));
  }

  private static Optional<TensorFilter> comparison(
      Expression left, Expression right, IntPredicate order) {
    Optional<String> column = column(left);
    Optional<Object> literal = literal(right);
    if (column.isEmpty() || literal.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(fields -> compare(fields, column.get(), literal.get(), order));
  }

  private static Answer compare(
      TensorFields fields, String column, Object literal, IntPredicate order) {
    Comparable<?> value = fields.value(column).orElse(null);
    if (value == null) {
      return Answer.UNKNOWN;
    }
    return Answer.of(order.test(order(value, literal)));
  }

  private static int order(Comparable<?> value, Object literal) {
    if (value instanceof UTF8String text && literal instanceof UTF8String other) {
      return Integer.signum(text.compareTo(other));
    }
    return Integer.compare((Integer) value, (Integer) literal);
  }

  private static Optional<TensorFilter> text(
      Expression[] children, BiPredicate<UTF8String, UTF8String> test) {
    Optional<String> column = column(children[0]);
    Optional<Object> literal = literal(children[1]);
    if (column.isEmpty() || !(literal.orElse(null) instanceof UTF8String wanted)) {
      return Optional.empty();
    }
    return Optional.of(
        fields ->
            fields
                .value(column.get())
                .map(value -> Answer.of(test.test((UTF8String) value, wanted)))
                .orElse(Answer.UNKNOWN));
  }

  private static Optional<TensorFilter> in(Expression[] children) {
    Optional<String> column = column(children[0]);
    List<Object> literals = new ArrayList<>();
    for (int i = 1; i < children.length; i++) {
      literal(children[i]).ifPresent(literals::add);
    }
    // A null among the values makes "not in" unknown; leave that to Spark.
    if (column.isEmpty() || literals.size() != children.length - 1) {
      return Optional.empty();
    }
    return Optional.of(
        fields ->
            literals.stream()
                .map(literal -> compare(fields, column.get(), literal, order -> order == 0))
                .reduce(Answer.NO, Answer::or));
  }

  private static Optional<String> column(Expression expression) {
    if (expression instanceof NamedReference reference && reference.fieldNames().length == 1) {
      return Optional.of(reference.fieldNames()[0]).filter(TensorFields::has);
    }
    return Optional.empty();
  }

  private static Optional<Object> literal(Expression expression) {
    if (expression instanceof Literal<?> literal
        && (literal.dataType().equals(DataTypes.StringType)
            || literal.dataType().equals(DataTypes.IntegerType))) {
      return Optional.ofNullable(literal.value());
    }
    return Optional.empty();
  }
}
