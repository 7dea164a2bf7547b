package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Expressions in the order of Jinja2's grammar, from what binds least to what binds most. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /** An expression, with {@code a if b else c}. */
  Expression parse() {
    tokens.enter();
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression then = value;
      Expression condition = or();
      Expression otherwise =
          tokens.skipName("else") ? parse() : scope -> new Undefined("an if without else");
      value =
          scope ->
              Values.isTrue(condition.value(scope)) ? then.value(scope) : otherwise.value(scope);
    }
    tokens.leave();
    return value;
  }

  /** One expression, or several with commas as a list. */
  Expression tuple(boolean conditions) {
    Expression first = conditions ? parse() : or();
    if (!tokens.peek().is(",")) {
      return first;
    }
    List<Expression> all = new ArrayList<>(List.of(first));
    while (tokens.skip(",")) {
      if (ends()) {
        break;
      }
      all.add(conditions ? parse() : or());
    }
    return list(all);
  }

  private boolean ends() {
    Token token = tokens.peek();
    return token.kind() == Token.Kind.BLOCK_END
        || token.kind() == Token.Kind.PRINT_END
        || token.is(")")
        || token.is("=");
  }

  private static Expression list(List<Expression> all) {
    return scope -> {
      List<Object> values = new ArrayList<>();
      for (Expression one : all) {
        values.add(one.value(scope));
      }
      return values;
    };
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      Expression one = left;
      Expression other = and();
      left =
          scope -> {
            Object value = one.value(scope);
            return Values.isTrue(value) ? value : other.value(scope);
          };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      Expression one = left;
      Expression other = not();
      left =
          scope -> {
            Object value = one.value(scope);
            return Values.isTrue(value) ? other.value(scope) : value;
          };
    }
    return left;
  }

  private Expression not() {
    if (tokens.skipName("not")) {
      tokens.enter();
      Expression value = not();
      tokens.leave();
      return scope -> !Values.isTrue(value.value(scope));
    }
    return comparison();
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> operands = new ArrayList<>();
    while (true) {
      Token token = tokens.peek();
      if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(tokens.next().text());
      } else if (token.names("in")) {
        tokens.next();
        operators.add("in");
      } else if (token.names("not") && tokens.peek(1).names("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        break;
      }
      operands.add(sum());
    }
    if (operators.isEmpty()) {
      return first;
    }
    return scope -> {
      Object left = first.value(scope);
      for (int i = 0; i < operands.size(); i++) {
        Object right = operands.get(i).value(scope);
        boolean holds =
            switch (operators.get(i)) {
              case "in" -> Values.contains(right, left);
              case "not in" -> !Values.contains(right, left);
              default -> Tests.compared(operators.get(i), left, right);
            };
        if (!holds) {
          return false;
        }
        left = right;
      }
      return true;
    };
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.peek().is("+") || tokens.peek().is("-")) {
      left = binary(tokens.next().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression left = product();
    while (tokens.skip("~")) {
      Expression one = left;
      Expression other = product();
      left =
          scope -> {
            String a = Values.text(one.value(scope));
            String b = Values.text(other.value(scope));
            scope.render().text((long) a.length() + b.length());
            return a + b;
          };
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    while (tokens.peek().is("*")
        || tokens.peek().is("/")
        || tokens.peek().is("//")
        || tokens.peek().is("%")) {
      left = binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.skip("**")) {
      left = binary("**", left, unary(true));
    }
    return left;
  }

  private static Expression binary(String operator, Expression left, Expression right) {
    return scope ->
        Operators.apply(scope.render(), operator, left.value(scope), right.value(scope));
  }

  private Expression unary(boolean filters) {
    Expression value;
    tokens.enter();
    if (tokens.skip("-")) {
      Expression positive = unary(false);
      value = scope -> Operators.negated(positive.value(scope));
    } else if (tokens.skip("+")) {
      Expression same = unary(false);
      value = scope -> Operators.apply(scope.render(), "+", 0L, same.value(scope));
    } else {
      value = primary();
    }
    tokens.leave();
    value = postfix(value);
    return filters ? filters(value) : value;
  }

  private Expression primary() {
    Token token = tokens.next();
    switch (token.kind()) {
      case NAME -> {
        return name(token.text());
      }
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.peek().kind() == Token.Kind.STRING) {
          text.append(tokens.next().text());
        }
        String all = text.toString();
        return scope -> all;
      }
      case NUMBER -> {
        return scope -> token.value();
      }
      default -> {}
    }
    if (token.is("(")) {
      if (tokens.skip(")")) {
        return list(List.of());
      }
      Expression inside = tuple(true);
      tokens.want(")");
      return inside;
    }
    if (token.is("[")) {
      return list(elements("]"));
    }
    if (token.is("{")) {
      return mapping();
    }
    throw new JinjaException("line " + token.line() + ": unexpected " + token);
  }

  private static Expression name(String name) {
    return switch (name) {
      case "true", "True" -> scope -> true;
      case "false", "False" -> scope -> false;
      case "none", "None" -> scope -> null;
      default -> scope -> scope.get(name);
    };
  }

  private List<Expression> elements(String end) {
    List<Expression> elements = new ArrayList<>();
    while (!tokens.skip(end)) {
      if (!elements.isEmpty()) {
        tokens.want(",");
        if (tokens.skip(end)) {
          break;
        }
      }
      elements.add(parse());
    }
    return elements;
  }

  private Expression mapping() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.skip("}")) {
      if (!keys.isEmpty()) {
        tokens.want(",");
        if (tokens.skip("}")) {
          break;
        }
      }
      keys.add(parse());
      tokens.want(":");
      values.add(parse());
    }
    return scope -> {
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        map.put(keys.get(i).value(scope), values.get(i).value(scope));
      }
      return map;
    };
  }

  /** Attributes, elements and calls. */
  private Expression postfix(Expression before) {
    Expression value = before;
    while (true) {
      Expression of = value;
      if (tokens.skip(".")) {
        if (tokens.peek().kind() == Token.Kind.NUMBER) {
          Object key = tokens.next().value();
          value = scope -> Attributes.item(of.value(scope), key);
        } else {
          String name = tokens.name();
          value = scope -> Attributes.attribute(of.value(scope), name);
        }
      } else if (tokens.skip("[")) {
        value = subscript(of);
      } else if (tokens.peek().is("(")) {
        value = call(of);
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression of) {
    Expression[] bounds = new Expression[3];
    int place = 0;
    boolean slice = false;
    while (!tokens.skip("]")) {
      if (tokens.skip(":")) {
        slice = true;
        if (++place > 2) {
          throw tokens.wrong("a slice has two colons at most");
        }
      } else if (bounds[place] == null) {
        bounds[place] = parse();
      } else {
        throw tokens.wrong("wanted ']'");
      }
    }
    if (!slice) {
      if (bounds[0] == null) {
        throw tokens.wrong("an element has no key");
      }
      return scope -> Attributes.item(of.value(scope), bounds[0].value(scope));
    }
    return scope ->
        scope
            .render()
            .given(
                Attributes.slice(
                    of.value(scope),
                    bounds[0] == null ? null : bounds[0].value(scope),
                    bounds[1] == null ? null : bounds[1].value(scope),
                    bounds[2] == null ? null : bounds[2].value(scope)));
  }

  private Expression call(Expression of) {
    Call call = arguments();
    return scope -> {
      Object called = of.value(scope);
      Arguments arguments = call.arguments(scope);
      scope.render().step();
      if (called instanceof Callable function) {
        return scope.render().given(function.call(arguments));
      }
      if (called instanceof LoopState loop) {
        return loop.recursion().call(arguments);
      }
      throw Values.unfit(called, "something that can be called");
    };
  }

  /** The arguments of a call, not yet worked out. */
  record Call(
      List<Expression> positional,
      Map<String, Expression> named,
      Expression more,
      Expression moreNamed) {
    static final Call NOTHING = new Call(List.of(), Map.of(), null, null);

    Arguments arguments(Scope scope) {
      List<Object> values = new ArrayList<>();
      for (Expression one : positional) {
        values.add(one.value(scope));
      }
      if (more != null) {
        values.addAll(Values.elements(more.value(scope)));
      }
      Map<String, Object> byName = new LinkedHashMap<>();
      named.forEach((name, one) -> byName.put(name, one.value(scope)));
      if (moreNamed != null) {
        if (!(moreNamed.value(scope) instanceof Map<?, ?> map)) {
          throw Values.unfit(moreNamed.value(scope), "a mapping");
        }
        map.forEach((name, value) -> byName.put(Values.text(name), value));
      }
      return new Arguments(scope.render(), values, byName);
    }
  }

  /** With its brackets. */
  Call arguments() {
    tokens.want("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    Expression unpacked = null;
    Expression unpackedNames = null;
    boolean more = false;
    while (!tokens.skip(")")) {
      if (more) {
        tokens.want(",");
        if (tokens.skip(")")) {
          break;
        }
      }
      more = true;
      if (tokens.skip("*")) {
        unpacked = parse();
      } else if (tokens.skip("**")) {
        unpackedNames = parse();
      } else if (tokens.peek().kind() == Token.Kind.NAME && tokens.peek(1).is("=")) {
        String name = tokens.name();
        tokens.want("=");
        named.put(name, parse());
      } else {
        positional.add(parse());
      }
    }
    return new Call(positional, named, unpacked, unpackedNames);
  }

  /** Filters and tests, and calls of what they give. */
  private Expression filters(Expression before) {
    Expression value = before;
    while (true) {
      Expression of = value;
      if (tokens.skip("|")) {
        value = filter(of);
      } else if (tokens.skipName("is")) {
        value = test(of);
      } else if (tokens.peek().is("(")) {
        value = call(of);
      } else {
        return value;
      }
    }
  }

  /** A filter behind its bar. */
  Expression filter(Expression of) {
    Filters.Filter filter = Filters.named(dotted());
    Call call = tokens.peek().is("(") ? arguments() : Call.NOTHING;
    return scope -> {
      scope.render().step();
      return scope.render().given(filter.apply(of.value(scope), call.arguments(scope)));
    };
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(tokens.name());
    while (tokens.skip(".")) {
      name.append('.').append(tokens.name());
    }
    return name.toString();
  }

  private Expression test(Expression of) {
    boolean negated = tokens.skipName("not");
    Tests.Test test = Tests.named(dotted());
    Token next = tokens.peek();
    Call call = Call.NOTHING;
    boolean word =
        next.kind() == Token.Kind.NAME
            && !Set.of("else", "or", "and", "is", "if", "in", "not").contains(next.text());
    if (next.is("(")) {
      call = arguments();
    } else if (word
        || next.kind() == Token.Kind.STRING
        || next.kind() == Token.Kind.NUMBER
        || next.is("[")
        || next.is("{")) {
      call = new Call(List.of(postfix(primary())), Map.of(), null, null);
    }
    Call given = call;
    return scope -> test.test(of.value(scope), given.arguments(scope)) != negated;
  }
}
