package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Statements of a template. */
final class Parser {
  private final TokenStream tokens;
  private final ExpressionParser expressions;

  private Parser(List<Token> tokens) {
    this.tokens = new TokenStream(tokens);
    this.expressions = new ExpressionParser(this.tokens);
  }

  static Statement parse(String template) {
    Parser parser = new Parser(Lexer.tokens(template));
    Statement all = parser.body(Set.of());
    if (parser.tokens.peek().kind() != Token.Kind.END) {
      throw parser.tokens.wrong("which nothing has begun");
    }
    return all;
  }

  /** Statements up to one of those names, which stays. */
  private Statement body(Set<String> ends) {
    List<Statement> all = new ArrayList<>();
    while (true) {
      Token token = tokens.peek();
      switch (token.kind()) {
        case DATA -> {
          tokens.next();
          all.add(scope -> scope.render().print(token.text()));
        }
        case PRINT_BEGIN -> {
          tokens.next();
          Expression value = expressions.tuple(true);
          tokens.want(Token.Kind.PRINT_END);
          all.add(scope -> scope.render().print(Values.text(value.value(scope))));
        }
        case BLOCK_BEGIN -> {
          if (ends.contains(tokens.peek(1).text())) {
            return sequence(all);
          }
          tokens.next();
          tokens.enter();
          all.add(statement(tokens.name()));
          tokens.leave();
        }
        default -> {
          if (!ends.isEmpty()) {
            throw tokens.wrong("wanted " + String.join(" or ", ends.stream().sorted().toList()));
          }
          return sequence(all);
        }
      }
    }
  }

  private static Statement sequence(List<Statement> all) {
    List<Statement> statements = List.copyOf(all);
    return scope -> {
      for (Statement one : statements) {
        scope.render().step();
        one.run(scope);
      }
    };
  }

  private void end() {
    tokens.want(Token.Kind.BLOCK_END);
  }

  /** Statements up to a tag of that name alone, which goes with them. */
  private Statement bodyUntil(String name) {
    Statement body = body(Set.of(name));
    tokens.next();
    tokens.next();
    // A block's name may stand behind its end.
    if (name.equals("endblock") && tokens.peek().kind() == Token.Kind.NAME) {
      tokens.next();
    }
    end();
    return body;
  }

  private Statement statement(String name) {
    return switch (name) {
      case "for" -> loop();
      case "if" -> condition();
      case "set" -> set();
      case "macro" -> macro();
      case "call" -> callBlock();
      case "filter" -> filterBlock();
      case "with" -> with();
      case "generation" -> {
        end();
        yield bodyUntil("endgeneration");
      }
      case "block" -> {
        tokens.name();
        end();
        yield inner(bodyUntil("endblock"));
      }
      case "break" -> {
        end();
        yield scope -> {
          throw Jump.BREAK;
        };
      }
      case "continue" -> {
        end();
        yield scope -> {
          throw Jump.CONTINUE;
        };
      }
      default ->
          throw new JinjaException(
              "line " + tokens.peek().line() + ": statement " + name + " is not known here");
    };
  }

  private static Statement inner(Statement body) {
    return scope -> body.run(scope.inner());
  }

  /** What leaves a turn of a loop: it has no trace, and says the same wherever it is thrown. */
  @SuppressWarnings("StaticAssignmentOfThrowable")
  static final class Jump extends RuntimeException {
    private static final long serialVersionUID = 1L;
    static final Jump BREAK = new Jump();
    static final Jump CONTINUE = new Jump();

    private Jump() {
      super("outside of a loop", null, false, false);
    }
  }

  private Statement condition() {
    List<Expression> conditions = new ArrayList<>();
    List<Statement> bodies = new ArrayList<>();
    Statement otherwise = scope -> {};
    conditions.add(expressions.tuple(true));
    end();
    while (true) {
      bodies.add(body(Set.of("elif", "else", "endif")));
      tokens.next();
      String next = tokens.name();
      if (next.equals("elif")) {
        conditions.add(expressions.tuple(true));
        end();
        continue;
      }
      end();
      if (next.equals("else")) {
        otherwise = bodyUntil("endif");
      }
      break;
    }
    Statement last = otherwise;
    return scope -> {
      for (int i = 0; i < conditions.size(); i++) {
        if (Values.isTrue(conditions.get(i).value(scope))) {
          bodies.get(i).run(scope);
          return;
        }
      }
      last.run(scope);
    };
  }

  /** Names that take a value: one, or several that share its elements. */
  private Targets targets() {
    boolean brackets = tokens.skip("(");
    List<String> names = new ArrayList<>(List.of(tokens.name()));
    boolean several = false;
    while (tokens.skip(",")) {
      several = true;
      if (tokens.peek().kind() == Token.Kind.NAME && !tokens.peek().names("in")) {
        names.add(tokens.name());
      }
    }
    if (brackets) {
      tokens.want(")");
    }
    return new Targets(names, several);
  }

  /** See there. */
  private record Targets(List<String> names, boolean several) {
    void set(Scope scope, Object value) {
      if (!several) {
        scope.set(names.get(0), value);
        return;
      }
      List<Object> values = Values.elements(value);
      if (values.size() != names.size()) {
        throw new JinjaException(values.size() + " values for the names " + names);
      }
      for (int i = 0; i < names.size(); i++) {
        scope.set(names.get(i), values.get(i));
      }
    }
  }

  private Statement loop() {
    Targets targets = targets();
    if (!tokens.skipName("in")) {
      throw tokens.wrong("wanted in");
    }
    Expression elements = expressions.tuple(false);
    Expression filter = tokens.skipName("if") ? expressions.parse() : null;
    boolean recursive = tokens.skipName("recursive");
    end();
    Statement body = body(Set.of("else", "endfor"));
    tokens.next();
    boolean hasElse = tokens.name().equals("else");
    end();
    Statement otherwise = hasElse ? bodyUntil("endfor") : scope -> {};
    Loop loop = new Loop(targets, filter, recursive, body, otherwise);
    return scope -> loop.run(scope, elements.value(scope), 0);
  }

  /** A loop without what it goes over. */
  private record Loop(
      Targets targets, Expression filter, boolean recursive, Statement body, Statement otherwise) {
    void run(Scope scope, Object over, int depth) {
      List<Object> kept = new ArrayList<>();
      for (Object one : Values.elements(over)) {
        scope.render().step();
        if (filter == null) {
          kept.add(one);
          continue;
        }
        Scope turn = scope.inner();
        targets.set(turn, one);
        if (Values.isTrue(filter.value(turn))) {
          kept.add(one);
        }
      }
      if (kept.isEmpty()) {
        otherwise.run(scope.inner());
        return;
      }
      Callable recursion =
          !recursive
              ? null
              : arguments -> {
                scope.render().enter();
                try {
                  Object more = arguments.need(0, "iterable");
                  return scope.render().captured(() -> run(scope, more, depth + 1));
                } finally {
                  scope.render().leave();
                }
              };
      LoopState state = new LoopState(kept, depth, recursion);
      for (int i = 0; i < kept.size(); i++) {
        Scope turn = scope.inner();
        state.at(i);
        turn.set("loop", state);
        targets.set(turn, kept.get(i));
        try {
          body.run(turn);
        } catch (Jump jump) {
          if (jump == Jump.BREAK) {
            break;
          }
        }
      }
    }
  }

  private Statement set() {
    if (tokens.peek().kind() == Token.Kind.NAME && tokens.peek(1).is(".")) {
      String space = tokens.name();
      tokens.want(".");
      String name = tokens.name();
      return assigned(
          (scope, value) -> {
            if (!(scope.get(space) instanceof Namespace namespace)) {
              throw new JinjaException(space + " is no namespace, so " + name + " cannot be set");
            }
            namespace.set(name, value);
          });
    }
    Targets targets = targets();
    return assigned(targets::set);
  }

  private interface Assignment {
    void set(Scope scope, Object value);
  }

  private Statement assigned(Assignment to) {
    if (tokens.skip("=")) {
      Expression value = expressions.tuple(true);
      end();
      return scope -> to.set(scope, value.value(scope));
    }
    Expression[] text = {scope -> scope.get("")};
    Object[] captured = new Object[1];
    Expression filtered = scope -> captured[0];
    while (tokens.skip("|")) {
      filtered = expressions.filter(filtered);
    }
    text[0] = filtered;
    end();
    Statement body = bodyUntil("endset");
    return scope -> {
      String printed = scope.render().captured(() -> body.run(scope.inner()));
      captured[0] = printed;
      to.set(scope, text[0].value(scope));
    };
  }

  private Statement macro() {
    String name = tokens.name();
    Callee callee = callee();
    end();
    Statement body = bodyUntil("endmacro");
    return scope -> scope.set(name, callee.bind(name, scope, body, null));
  }

  /** The parameters of a macro with their defaults; null: none. */
  private record Callee(Map<String, Expression> parameters) {
    Callable bind(String name, Scope defined, Statement body, Callable caller) {
      return arguments -> {
        Scope scope = defined.inner();
        int place = 0;
        for (Map.Entry<String, Expression> parameter : parameters.entrySet()) {
          String own = parameter.getKey();
          boolean given = arguments.has(place, own);
          scope.set(
              own,
              given
                  ? arguments.get(place, own, null)
                  : parameter.getValue() == null
                      ? new Undefined("parameter '" + own + "'")
                      : parameter.getValue().value(scope));
          place++;
        }
        if (arguments.positional().size() > parameters.size()) {
          throw new JinjaException(
              "macro " + name + " takes " + parameters.size() + " arguments at most");
        }
        Object called = arguments.named().get("caller");
        for (String own : arguments.named().keySet()) {
          if (!parameters.containsKey(own) && !own.equals("caller")) {
            throw new JinjaException("macro " + name + " takes no argument " + own);
          }
        }
        if (called != null || caller != null) {
          scope.set("caller", called == null ? caller : called);
        }
        arguments.render().enter();
        try {
          return arguments.render().captured(() -> body.run(scope));
        } finally {
          arguments.render().leave();
        }
      };
    }
  }

  private Callee callee() {
    Map<String, Expression> parameters = new LinkedHashMap<>();
    tokens.want("(");
    while (!tokens.skip(")")) {
      if (!parameters.isEmpty()) {
        tokens.want(",");
      }
      String name = tokens.name();
      parameters.put(name, tokens.skip("=") ? expressions.parse() : null);
    }
    return new Callee(parameters);
  }

  private Statement callBlock() {
    Callee callee = tokens.peek().is("(") ? callee() : new Callee(Map.of());
    String name = tokens.name();
    ExpressionParser.Call call = expressions.arguments();
    end();
    Statement body = bodyUntil("endcall");
    return scope -> {
      if (!(scope.get(name) instanceof Callable macro)) {
        throw Values.unfit(scope.get(name), "a macro");
      }
      Arguments given = call.arguments(scope);
      Map<String, Object> named = new LinkedHashMap<>(given.named());
      named.put("caller", callee.bind("caller", scope, body, null));
      Object printed = macro.call(new Arguments(scope.render(), given.positional(), named));
      scope.render().print(Values.text(printed));
    };
  }

  private Statement filterBlock() {
    Object[] captured = new Object[1];
    Expression filtered = expressions.filter(scope -> captured[0]);
    while (tokens.skip("|")) {
      filtered = expressions.filter(filtered);
    }
    Expression all = filtered;
    end();
    Statement body = bodyUntil("endfilter");
    return scope -> {
      captured[0] = scope.render().captured(() -> body.run(scope.inner()));
      scope.render().print(Values.text(all.value(scope)));
    };
  }

  private Statement with() {
    Map<String, Expression> values = new LinkedHashMap<>();
    while (tokens.peek().kind() == Token.Kind.NAME) {
      String name = tokens.name();
      tokens.want("=");
      values.put(name, expressions.parse());
      if (!tokens.skip(",")) {
        break;
      }
    }
    end();
    Statement body = bodyUntil("endwith");
    return scope -> {
      Scope inside = scope.inner();
      values.forEach((name, value) -> inside.set(name, value.value(scope)));
      body.run(inside);
    };
  }
}
