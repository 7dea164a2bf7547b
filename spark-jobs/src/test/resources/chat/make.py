# Writes expected.json: what Jinja2 (3.1.6), set up as Transformers sets it up for chat templates, makes of conversations.json.
#   python3 make.py
import datetime, glob, json, os
import jinja2.ext, jinja2.nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("printed"), [], [], body).set_lineno(line)

    def printed(self, caller):
        return caller()


def refuse(message):
    raise TemplateError(message)


def environment():
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    made.filters["tojson"] = lambda value, ensure_ascii=False, indent=None, separators=None, sort_keys=False: json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    made.globals["raise_exception"] = refuse
    # Templates see one day, always the same.
    made.globals["strftime_now"] = lambda form: datetime.datetime(2024, 7, 26).strftime(form)
    return made


here = os.path.dirname(os.path.abspath(__file__))
talks = json.load(open(os.path.join(here, "conversations.json"), encoding="utf-8"))
expected = []
for path in sorted(glob.glob(os.path.join(here, "*.jinja"))):
    template = environment().from_string(open(path, encoding="utf-8", newline="").read())
    for name, talk in talks.items():
        case = {"template": os.path.basename(path), "conversation": name}
        try:
            case["text"] = template.render(
                messages=talk["messages"], tools=talk.get("tools"), documents=None, add_generation_prompt=False,
                bos_token="<s>", eos_token="</s>")
        except Exception as e:
            case["refused"] = str(e)
        expected.append(case)
json.dump(expected, open(os.path.join(here, "expected.json"), "w", encoding="utf-8"), ensure_ascii=False, indent=1)
