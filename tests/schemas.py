"""The schemas that tests check XML files against; nothing is fetched for a test."""

from functools import cache
from pathlib import Path

from lxml import etree

DATA = Path(__file__).parent / "data"


class XlinkAside(etree.Resolver):
    """ALTO's schema imports the schema of XLink, whose attributes are not written here."""

    def resolve(self, url, identifier, context):
        if url.endswith("xlink.xsd"):
            return self.resolve_string(
                '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace='
                '"http://www.w3.org/1999/xlink"><attributeGroup name="simpleLink"/></schema>',
                context,
            )


@cache
def alto_schema() -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(XlinkAside())
    return etree.XMLSchema(etree.parse(DATA / "alto-4-4.xsd", parser))


@cache
def page_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(DATA / "page-2019-07-15.xsd"))
